//! This program again, as a process of its own: for what has to live, or to be killed, apart from the tests.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdout, Command, Stdio},
};

const SAYS: &str = "says: ";

/// A process of this program. In a test binary, it runs one test and nothing else.
pub struct Again {
    child: Child,
    /// Kept open, or the test harness of the child fails when it writes its summary.
    output: BufReader<ChildStdout>,
    /// What it said with [`Again::say`].
    pub said: String,
}

impl Again {
    /// Starts the test with this full name, with these variables in its environment, and returns when it has said something.
    pub fn start<'a>(test: &str, environment: impl IntoIterator<Item = (&'a str, &'a OsStr)>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).envs(environment).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let said = output.by_ref().lines().find_map(|line| Some(line.unwrap().split_once(SAYS)?.1.to_owned()));
        Self { child, output, said: said.expect("the child says something; its errors stand above") }
    }

    /// What the child does: says this to the process that started it.
    pub fn say(text: &str) {
        let mut output = std::io::stdout();
        writeln!(output, "{SAYS}{text}").unwrap();
        output.flush().unwrap();
    }

    /// Kills it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes its standard input, and waits for its end, which must be a success.
    pub fn finish(mut self) {
        drop(self.child.stdin.take());
        self.output.read_to_end(&mut Vec::new()).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}
