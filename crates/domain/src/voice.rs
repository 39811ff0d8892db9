//! Voices that an agent of a workspace can speak with.

use crate::{ForeignId, Line, values::Choice};

/// How a voice sounds, or what its owner called it, in one line.
pub type VoiceLabel = Line<120>;

/// Who makes a voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoiceBrand {
    /// OpenAI: the same voices for everybody.
    OpenAi,
    /// ElevenLabs: those of the account that the workspace is connected to.
    ElevenLabs,
}

impl Choice for VoiceBrand {
    const ALL: &'static [(Self, &'static str)] = &[(Self::OpenAi, "openai"), (Self::ElevenLabs, "elevenlabs")];
    const MEANING: &'static str = "The provider of a voice.";
}
crate::values::choices!(VoiceBrand);

/// A voice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// What its maker knows it by; unique among the voices of one brand.
    pub value: ForeignId,
    /// For people.
    pub label: VoiceLabel,
    /// Who makes it.
    pub brand: VoiceBrand,
}
