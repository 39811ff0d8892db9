//! The tables as the migrations make them. Private to this crate: what is outside asks the door.

diesel::table! {
    tenants (id) {
        id -> Uuid,
        name -> Text,
        default_country -> Text,
        default_operating_language -> Text,
        default_currency -> Text,
        default_workspace_type -> Text,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        suspended_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
        max_workspaces -> Nullable<Int4>,
        max_members -> Nullable<Int4>,
        mail_due_at -> Nullable<Timestamptz>,
        last_workspace_number -> Int8,
        last_place_number -> Int8,
        max_agents -> Nullable<Int4>,
        max_minutes -> Nullable<Int4>,
        sealed_under -> Array<Text>,
        requests_per_second -> Nullable<Int4>,
        request_burst -> Nullable<Int4>,
        founding_key_hash -> Nullable<Bytea>,
        max_pending_invitations -> Nullable<Int4>,
        max_emails_per_day -> Nullable<Int4>,
        max_emails_per_recipient -> Nullable<Int4>,
        workspace_count -> Int8,
        member_count -> Int8,
        external_id -> Nullable<Text>,
        metadata -> Jsonb,
        webhooks_due_at -> Nullable<Timestamptz>,
        frozen_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    brands (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        name -> Text,
        slug -> Text,
        is_default -> Bool,
        logo_url -> Nullable<Text>,
        primary_color -> Nullable<Text>,
        secondary_color -> Nullable<Text>,
        email_from_name -> Text,
        email_signature_html -> Nullable<Text>,
        email_signature_text -> Nullable<Text>,
        ai_sender_name -> Nullable<Text>,
        ai_sender_title -> Nullable<Text>,
        ai_sender_avatar_url -> Nullable<Text>,
        tone -> Nullable<Text>,
        brand_instructions -> Nullable<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        workspace_count -> Int8,
        external_id -> Nullable<Text>,
        metadata -> Jsonb,
    }
}

diesel::table! {
    workspaces (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        brand_id -> Uuid,
        name -> Text,
        country -> Text,
        operating_language -> Text,
        currency -> Text,
        workspace_type -> Text,
        workspace_instructions -> Nullable<Text>,
        email_signature_html -> Nullable<Text>,
        email_signature_text -> Nullable<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
        number -> Int8,
        max_members -> Nullable<Int4>,
        max_agents -> Nullable<Int4>,
        max_minutes -> Nullable<Int4>,
        time_zone -> Text,
        limits_version -> Int8,
        search_name -> Text,
        external_id -> Nullable<Text>,
        metadata -> Jsonb,
    }
}

diesel::table! {
    api_keys (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        secret_hash -> Bytea,
        name -> Text,
        mode -> Text,
        scopes -> Array<Text>,
        brand_id -> Nullable<Uuid>,
        workspace_id -> Nullable<Uuid>,
        last_four -> Text,
        expires_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        created_by -> Nullable<Text>,
        replaced_by -> Nullable<Uuid>,
    }
}

diesel::table! {
    audit_events (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        action -> Text,
        actor_type -> Text,
        actor_id -> Text,
        subject_type -> Text,
        subject_id -> Uuid,
        changes -> Jsonb,
        request_id -> Nullable<Text>,
        address -> Nullable<Text>,
        occurred_at -> Timestamptz,
    }
}

diesel::table! {
    members (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        email -> Text,
        email_key -> Text,
        role -> Text,
        status -> Text,
        issuer -> Text,
        subject -> Text,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        external_id -> Nullable<Text>,
        metadata -> Jsonb,
    }
}

diesel::table! {
    assignments (tenant_id, workspace_id, member_id) {
        tenant_id -> Uuid,
        workspace_id -> Uuid,
        member_id -> Uuid,
        created_at -> Timestamptz,
        number -> Int8,
    }
}

diesel::table! {
    invitations (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        email -> Text,
        email_key -> Text,
        role -> Text,
        expires_at -> Timestamptz,
        accepted_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        invited_by -> Nullable<Text>,
    }
}

diesel::table! {
    invitation_workspaces (tenant_id, invitation_id, workspace_id) {
        tenant_id -> Uuid,
        invitation_id -> Uuid,
        workspace_id -> Uuid,
        number -> Int8,
    }
}

diesel::table! {
    invitation_tokens (tenant_id, token_hash) {
        tenant_id -> Uuid,
        token_hash -> Bytea,
        invitation_id -> Uuid,
        replaced_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    outbox_messages (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        subject_id -> Uuid,
        state -> Text,
        attempts -> Int4,
        next_attempt_at -> Timestamptz,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    agents (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        workspace_id -> Uuid,
        name -> Text,
        external_reference -> Nullable<Text>,
        voice -> Nullable<Text>,
        status -> Text,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        external_id -> Nullable<Text>,
        metadata -> Jsonb,
    }
}

diesel::table! {
    integrations (tenant_id, workspace_id, provider) {
        tenant_id -> Uuid,
        workspace_id -> Uuid,
        provider -> Text,
        plain -> Nullable<Text>,
        sealed_secret -> Nullable<Bytea>,
        key_version -> Nullable<Int4>,
        last_four -> Nullable<Text>,
        secret_set_at -> Nullable<Timestamptz>,
        verification_status -> Text,
        verified_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        discarded_secret -> Nullable<Bytea>,
        discarded_key -> Nullable<Text>,
        discarded_last_four -> Nullable<Text>,
        discarded_set_at -> Nullable<Timestamptz>,
        discarded_at -> Nullable<Timestamptz>,
        limited -> Bool,
        api_key_sid -> Nullable<Text>,
        renewable -> Bool,
        renewing_until -> Nullable<Timestamptz>,
        twilio_region -> Nullable<Text>,
    }
}

diesel::table! {
    usage_entries (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        workspace_id -> Uuid,
        kind -> Text,
        seconds -> Int4,
        used_at -> Timestamptz,
        month -> Date,
        reference -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    usage_months (tenant_id, workspace_id, month) {
        tenant_id -> Uuid,
        workspace_id -> Uuid,
        month -> Date,
        seconds -> Int8,
    }
}

diesel::table! {
    idempotency_keys (tenant_id, actor_kind, actor_id, key_hash) {
        tenant_id -> Uuid,
        actor_kind -> Text,
        actor_id -> Text,
        key_hash -> Bytea,
        request_hash -> Bytea,
        sealed_answer -> Bytea,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    brand_metadata (tenant_id, brand_id, name) {
        tenant_id -> Uuid,
        brand_id -> Uuid,
        name -> Text,
        value -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    workspace_metadata (tenant_id, workspace_id, name) {
        tenant_id -> Uuid,
        workspace_id -> Uuid,
        name -> Text,
        value -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    member_metadata (tenant_id, member_id, name) {
        tenant_id -> Uuid,
        member_id -> Uuid,
        name -> Text,
        value -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    agent_metadata (tenant_id, agent_id, name) {
        tenant_id -> Uuid,
        agent_id -> Uuid,
        name -> Text,
        value -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    webhooks (tenant_id, id) {
        tenant_id -> Uuid,
        id -> Uuid,
        url -> Text,
        events -> Nullable<Array<Text>>,
        description -> Nullable<Text>,
        enabled -> Bool,
        disabled_reason -> Nullable<Text>,
        sealed_secrets -> Nullable<Bytea>,
        key_version -> Nullable<Int4>,
        secret_set_at -> Timestamptz,
        previous_until -> Nullable<Timestamptz>,
        failing_since -> Nullable<Timestamptz>,
        failures -> Int4,
        next_turn_at -> Timestamptz,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_deliveries (tenant_id, webhook_id, event_id) {
        tenant_id -> Uuid,
        webhook_id -> Uuid,
        event_id -> Uuid,
        state -> Text,
        attempts -> Int4,
        next_attempt_at -> Timestamptz,
        last_attempt_at -> Nullable<Timestamptz>,
        last_status -> Nullable<Int4>,
        last_answer -> Nullable<Text>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

// A view. It has no primary key, and diesel wants one.
diesel::table! {
    slots (tenant_id) {
        tenant_id -> Uuid,
        workspace_id -> Uuid,
        number -> Int8,
        holder_id -> Uuid,
        email -> Text,
        role -> Text,
        is_member -> Bool,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    tenants,
    brands,
    workspaces,
    api_keys,
    audit_events,
    members,
    assignments,
    invitations,
    invitation_workspaces,
    invitation_tokens,
    outbox_messages,
    agents,
    usage_entries,
    usage_months,
    integrations,
    idempotency_keys,
    webhooks,
    webhook_deliveries,
);
