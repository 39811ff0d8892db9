//! How to install PostgreSQL on the system at hand.

use std::fs;

/// The oldest major version that the schema works with.
pub const OLDEST: u32 = 15;

/// A sentence with the command for this machine.
pub(super) fn install() -> String {
    if cfg!(target_os = "macos") {
        return sentence("brew install postgresql@17");
    }
    let release = fs::read_to_string("/etc/os-release").or_else(|_| fs::read_to_string("/usr/lib/os-release"));
    for_release(&release.unwrap_or_default())
}

/// The same for the text of an `os-release` file.
fn for_release(release: &str) -> String {
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches(['"', '\'']).to_lowercase()
    };
    let families = format!("{} {}", value("ID"), value("ID_LIKE"));
    families.split_whitespace().find_map(command).map_or_else(generic, sentence)
}

fn command(family: &str) -> Option<&'static str> {
    Some(match family {
        "debian" | "ubuntu" => "apt-get install -y postgresql",
        "fedora" | "rhel" | "centos" | "rocky" | "almalinux" => "dnf install -y postgresql-server",
        "arch" | "archlinux" => "pacman -S --noconfirm postgresql",
        "alpine" => "apk add postgresql",
        "suse" | "opensuse" | "opensuse-leap" | "opensuse-tumbleweed" | "sles" => {
            "zypper --non-interactive install postgresql-server"
        }
        "nixos" => "nix-env -iA nixos.postgresql",
        "gentoo" => "emerge dev-db/postgresql",
        _ => return None,
    })
}

fn sentence(command: &str) -> String {
    format!(
        "Install it with: {command}\n\
         (if that gives a version older than {}: https://www.postgresql.org/download/), \
         or name the directory of its programs in TENANTRY_PG_BIN.",
        OLDEST
    )
}

fn generic() -> String {
    format!(
        "Install the PostgreSQL server, version {} or later (https://www.postgresql.org/download/), \
         or name the directory of its programs in TENANTRY_PG_BIN.",
        OLDEST
    )
}

#[cfg(test)]
mod tests {
    use super::for_release;

    #[test]
    fn names_the_command_of_the_system() {
        let cases = [
            ("ID=debian\n", "apt-get install -y postgresql"),
            ("NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "apt-get install -y postgresql"),
            ("ID=fedora\n", "dnf install -y postgresql-server"),
            ("ID=\"ol\"\nID_LIKE=\"fedora\"\n", "dnf install -y postgresql-server"),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "zypper"),
            ("ID=arch\n", "pacman -S"),
            ("ID=alpine\n", "apk add postgresql"),
            ("", "https://www.postgresql.org/download/"),
            ("ID=plan9\n", "https://www.postgresql.org/download/"),
        ];
        for (release, expected) in cases {
            let advice = for_release(release);
            assert!(advice.contains(expected), "{release:?} gave {advice:?}");
        }
    }
}
