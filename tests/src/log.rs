//! The log as a test hears it.

use std::{
    io,
    sync::{Arc, Mutex},
};

/// What is logged on this thread, to the last word.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

/// As long as it lives, the log is kept.
pub struct Listening {
    _guard: tracing::subscriber::DefaultGuard,
    /// While there is one subscriber alone, an event that another thread comes by first is taken for one that nobody wants.
    _second: tracing::Dispatch,
}

impl Log {
    /// Listens from now on, to all levels.
    pub fn listen() -> (Self, Listening) {
        let log = Self::default();
        let subscriber = |writer: Self| {
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .finish()
        };
        let second = tracing::Dispatch::new(subscriber(Self::default()));
        let guard = tracing::subscriber::set_default(subscriber(log.clone()));
        (log, Listening { _guard: guard, _second: second })
    }

    /// What was said so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
