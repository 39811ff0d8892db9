DROP TABLE invitation_tokens;
DROP TABLE invitation_workspaces;
DROP TABLE invitations;
