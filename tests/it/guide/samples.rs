//! The samples of the guide are sent, page by page and in their order, by a shell with a real key. What stands below a sample as its
//! answer is what it is answered.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tenantry_tests::App;

use super::{markdown, root};

/// A sample, and what the page says that it is answered: a status, headers and a body.
struct Sample {
    script: String,
    answer: Option<String>,
}

/// The blocks of shell in a page, each with the block of HTTP below it.
fn samples(text: &str) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: String = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        match language {
            "sh" => samples.push(Sample { script: block, answer: None }),
            "http" => {
                let sample = samples.last_mut().expect("an answer stands below its sample");
                assert!(sample.answer.replace(block).is_none(), "one answer for each sample");
            }
            "text" => {}
            other => panic!("a block of the guide is sh, http or text, and not {other:?}"),
        }
    }
    samples
}

/// Instead of curl: notes the number of the sample, the status and the file of the answer.
const CURL: &str = r#"
set -euo pipefail
curl() {
    local answer status
    answer=$(mktemp "$ANSWERS/XXXXXX")
    status=$(command curl --silent --show-error --max-time 60 --output "$answer" --write-out '%{http_code}' "$@")
    printf '%s %s %s\n' "$SAMPLE" "$status" "$answer" >>"$ANSWERS/log"
    cat "$answer"
}
"#;

/// What the samples of a page were answered: for each request the number of its sample, the status and the body.
fn run(samples: &[Sample], directory: &Path, variables: &[(&str, &str)]) -> Vec<(usize, u16, String)> {
    let bodies = samples.iter().enumerate().map(|(number, sample)| format!("SAMPLE={number}\n{}", sample.script));
    let script = format!("{CURL}{}", bodies.collect::<String>());
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).current_dir(directory);
    command.env("ANSWERS", directory).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
    assert!(output.status.success(), "{log}{}", String::from_utf8_lossy(&output.stderr));
    let line = |line: &str| {
        let parts: Vec<_> = line.split(' ').collect();
        (parts[0].parse().unwrap(), parts[1].parse().unwrap(), fs::read_to_string(parts[2]).unwrap())
    };
    log.lines().map(line).collect()
}

/// Whether this is so: an object may have more fields, and `…` stands for any text.
fn is_as_said(said: &Value, is: &Value) -> bool {
    match (said, is) {
        (Value::String(said), Value::String(_)) if said == "…" => true,
        (Value::Object(said), Value::Object(is)) => {
            said.iter().all(|(name, said)| is.get(name).is_some_and(|is| is_as_said(said, is)))
        }
        (Value::Array(said), Value::Array(is)) => {
            said.len() == is.len() && said.iter().zip(is).all(|(said, is)| is_as_said(said, is))
        }
        _ => said == is,
    }
}

/// The lines before the first empty one, and what follows.
fn parts(message: &str) -> (Vec<String>, Value) {
    let message = message.replace("\r\n", "\n");
    let (head, body) = match message.split_once("\n\n") {
        Some((head, body)) if head.starts_with("HTTP/") => (head, body),
        _ if message.starts_with("HTTP/") => (message.trim_end(), ""),
        _ => ("", message.as_str()),
    };
    (head.lines().map(str::to_lowercase).collect(), serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn an_answer_is_as_said_only_if_all_that_is_said_is_so() {
    let is = serde_json::json!({ "a": 1, "b": { "c": "x", "d": null }, "e": [{ "f": 1, "g": 2 }] });
    for (said, so) in [
        (r#"{"a": 1, "b": {"c": "…"}}"#, true),
        (r#"{"e": [{"g": 2}]}"#, true),
        (r#"{"a": 2}"#, false),
        (r#"{"a": "…"}"#, false),
        (r#"{"z": null}"#, false),
        (r#"{"e": []}"#, false),
    ] {
        assert_eq!(is_as_said(&serde_json::from_str(said).unwrap(), &is), so, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_of_the_guide_runs_and_is_answered_as_the_page_says() {
    let app = App::start().await;
    let mut requests = 0;
    let beside = ["docs/webhooks.md", "docs/introspection.md"].map(|page| root().join(page));
    for path in markdown(&root().join("docs/guide")).into_iter().chain(beside) {
        let page = path.file_name().unwrap().to_str().unwrap();
        let samples = samples(&fs::read_to_string(&path).unwrap());
        // A reader begins with a tenant of their own.
        let tenant = app.tenant(&format!("Reader of {page}")).await;
        let directory = tempfile::tempdir().unwrap();
        let (platform, service) = (app.platform(), app.service());
        let variables = [
            ("TENANTRY_URL", app.base.as_str()),
            ("TENANTRY_KEY", tenant.owner.key()),
            ("TENANTRY_PLATFORM_KEY", platform.key()),
            ("TENANTRY_SERVICE_KEY", service.key()),
        ];
        let answers = tokio::task::block_in_place(|| run(&samples, directory.path(), &variables));
        requests += answers.len();
        for (number, sample) in samples.iter().enumerate() {
            let own: Vec<_> = answers.iter().filter(|(of, ..)| *of == number).collect();
            let (_, status, text) = own.last().unwrap_or_else(|| panic!("{page}: no request in {}", sample.script));
            let earlier = own.iter().rev().skip(1).all(|(_, status, _)| (200..300).contains(status));
            assert!(earlier, "{page}: {}{own:?}", sample.script);
            let Some(answer) = &sample.answer else {
                assert!((200..300).contains(status), "{page}: {}{status} {text}", sample.script);
                continue;
            };
            let ((said, said_body), (head, body)) = (parts(answer), parts(text));
            let said_status = said[0].split(' ').nth(1).unwrap();
            assert_eq!(said_status, status.to_string(), "{page}: {}{text}", sample.script);
            assert!(is_as_said(&said_body, &body), "{page}: {}\nsays {said_body}\nis {body}", sample.script);
            let missing: Vec<_> = said[1..].iter().filter(|line| !head.contains(line)).collect();
            assert!(missing.is_empty(), "{page}: {}{missing:?} in {head:?}", sample.script);
        }
    }
    assert!(requests > 30, "{requests}");
}
