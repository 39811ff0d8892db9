//! A real browser, driven through ChromeDriver; both end with the test, however it ends.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde_json::{Value, json};

/// ChromeDriver and what it starts, in a process group of their own.
pub(crate) struct Driver {
    child: Child,
    // Kept open: a driver that cannot write its lines stops.
    _output: BufReader<ChildStdout>,
    address: String,
    profile: tempfile::TempDir,
}

impl Driver {
    /// Starts ChromeDriver on a free port, which it chooses and says.
    pub(crate) fn start() -> Self {
        let program = find(&["chromedriver", "chromium.chromedriver"], &["/usr/lib/chromium-browser/chromedriver"]);
        let mut command = Command::new(program);
        let mut child =
            command.arg("--port=0").process_group(0).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let port = output.by_ref().lines().find_map(|line| port_in(&line.ok()?));
        let address = format!("http://127.0.0.1:{}", port.expect("chromedriver says its port"));
        Self { child, _output: output, address, profile: tempfile::tempdir().unwrap() }
    }

    /// Opens a browser with an empty profile.
    pub(crate) async fn browser(&self) -> Client {
        self.browser_of(&[], json!({})).await
    }

    /// Opens a browser in which everything is dark, as its owner wishes.
    pub(crate) async fn dark_browser(&self) -> Client {
        self.browser_of(&["--force-dark-mode", "--blink-settings=preferredColorScheme=0"], json!({})).await
    }

    /// Opens a browser on a small phone.
    pub(crate) async fn phone(&self) -> Client {
        let screen = json!({ "deviceMetrics": { "width": 360, "height": 740, "pixelRatio": 2.0, "touch": true } });
        self.browser_of(&[], json!({ "mobileEmulation": screen })).await
    }

    async fn browser_of(&self, more: &[&str], also: Value) -> Client {
        let mac = [
            "/Applications/Chromium.app/Contents/MacOS/Chromium",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        ];
        let binary = find(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"], &mac);
        let mut arguments = vec![
            "--headless".to_owned(),
            // Neither root nor a container can have its sandbox, and the one page it opens is our own.
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--window-size=1440,900".to_owned(),
            format!("--user-data-dir={}", self.profile.path().display()),
        ];
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        let mut options = json!({ "binary": binary, "args": arguments });
        options.as_object_mut().unwrap().extend(also.as_object().unwrap().clone());
        let capabilities = json!({ "goog:chromeOptions": options }).as_object().unwrap().clone();
        ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&self.address).await.unwrap()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// The first of these programs that is there.
fn find(names: &[&str], places: &[&str]) -> String {
    #[expect(clippy::disallowed_methods, reason = "a search path is searched")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories: Vec<_> = std::env::split_paths(&path).collect();
    let named = names.iter().flat_map(|name| directories.iter().map(move |directory| directory.join(name)));
    let found = named.chain(places.iter().map(|place| Path::new(place).to_owned())).find(|program| program.is_file());
    let found = found.unwrap_or_else(|| panic!("{} is not installed; `make test` installs it", names[0]));
    found.display().to_string()
}

fn port_in(line: &str) -> Option<u16> {
    line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
}
