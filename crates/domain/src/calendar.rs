//! Calendars of the account that a workspace is connected to.

use crate::{ForeignId, Line};

/// A calendar's name, in one line.
pub type CalendarName = Line<120>;
/// What a calendar is for, in one line.
pub type CalendarDescription = Line<500>;

/// A calendar for booking appointments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// What its provider knows it by.
    pub id: ForeignId,
    /// Its name; its id where it has none.
    pub name: CalendarName,
    /// What it is for, where somebody wrote that down.
    pub description: Option<CalendarDescription>,
    /// Whether the calendar currently accepts bookings.
    pub is_active: bool,
}
