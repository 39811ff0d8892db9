//! nginx in front of the service.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// An nginx of its own, which publishes a service under the path `/tenantry/` and compresses what it can. It ends with this.
pub struct Nginx {
    process: Child,
    _directory: TempDir,
    /// Where it publishes the service, without a slash at the end.
    pub base: String,
}

impl Nginx {
    /// In front of the service at this address; `None`, with a line that says so, where there is no nginx.
    pub fn before(service: &str) -> Option<Self> {
        let Some(program) = program() else {
            #[expect(clippy::print_stdout, reason = "who runs the tests must see what was not tested")]
            {
                println!("SKIPPED: there is no nginx on this machine");
            }
            return None;
        };
        // The port may be somebody else's by the time nginx wants it.
        (0..10).find_map(|_| Self::start(&program, service)).or_else(|| panic!("nginx does not start"))
    }

    fn start(program: &Path, service: &str) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::Builder::new().prefix("tenantry-nginx-").tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
        let at = directory.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {at}/{what};\n"))
            .concat();
        let settings = format!(
            "daemon off;\nworker_processes 1;\npid {at}/pid;\nerror_log {at}/log;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}\
             gzip on;\ngzip_min_length 0;\ngzip_proxied any;\ngzip_types application/json text/javascript text/plain;\n\
             server {{\nlisten 127.0.0.1:{port};\nlocation /tenantry/ {{\nproxy_pass {service}/;\nproxy_http_version 1.1;\n\
             proxy_set_header Connection \"\";\nproxy_set_header Host $http_host;\n\
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n}}\n}}\n}}\n"
        );
        fs::write(directory.path().join("settings"), settings).unwrap();
        let mut command = Command::new(program);
        command.arg("-e").arg(directory.path().join("log")).arg("-c").arg(directory.path().join("settings"));
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let base = format!("http://127.0.0.1:{port}/tenantry");
        let mut nginx = Self { process, _directory: directory, base };
        // It writes its process id down once it listens.
        while !nginx._directory.path().join("pid").exists() {
            if nginx.process.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::yield_now();
        }
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked to, it ends its workers too.
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        if asked.is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

fn program() -> Option<PathBuf> {
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin"];
    places.iter().map(|place| Path::new(place).join("nginx")).find(|program| program.exists())
}
