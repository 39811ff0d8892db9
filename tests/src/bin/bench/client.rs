//! Clients as processes of their own, so that they measure the service and not each other: this program again, with `client` as its
//! argument. It reads what to do from its standard input, says when it is connected, begins when it is told to, and says what it met.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{
    open::{self, Answers},
    requests::Requests,
};

const ARGUMENT: &str = "client";

/// When requests are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// So many in a second for so long, whether or not those before were answered, on as many connections as that takes.
    Open { rate: f64, time: Duration },
    /// The same, with a connection for each request.
    Visitors { rate: f64, time: Duration },
    /// On each connection the next one as soon as the one before was answered, until the end.
    Flood,
    /// All send one each at once, and wait for the answer. They connect at once too, or are connected before.
    Crowd { connected: bool },
    /// Never: the connections are opened and kept.
    Idle,
    /// Byte after byte, without an end: requests with a body that nobody reads, and heads.
    Drip,
}

/// What a client does.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) base: String,
    pub(crate) requests: Requests,
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
}

impl Load {
    /// The answers to a load that ends by itself.
    pub(crate) async fn run(self) -> Met {
        self.start().await.finish().await
    }

    /// The answers to a load without an end, which is ended after this time.
    pub(crate) async fn run_for(self, time: Duration) -> Met {
        let client = self.start().await;
        tokio::time::sleep(time).await;
        client.finish().await
    }

    /// A client that has begun.
    pub(crate) async fn start(self) -> Client {
        let (kind, rate, time) = match self.pace {
            Pace::Open { rate, time } => ("open", rate, time.as_secs_f64()),
            Pace::Visitors { rate, time } => ("visitors", rate, time.as_secs_f64()),
            Pace::Flood => ("flood", 0.0, 0.0),
            Pace::Crowd { connected: false } => ("strangers", 0.0, 0.0),
            Pace::Crowd { connected: true } => ("crowd", 0.0, 0.0),
            Pace::Idle => ("idle", 0.0, 0.0),
            Pace::Drip => ("drip", 0.0, 0.0),
        };
        let task = json!({
            "base": self.base, "requests": self.requests.texts(), "answer": self.requests.answer, "connections": self.connections,
            "kind": kind, "rate": rate, "time": time,
        });
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        input.write_all(format!("{task}\n").as_bytes()).await.unwrap();
        let mut output = BufReader::new(output).lines();
        let ready = output.next_line().await.unwrap();
        assert!(ready.is_some(), "a client could not connect; its errors stand above");
        input.write_all(b"go\n").await.unwrap();
        Client { child, input, output }
    }
}

/// A client at work.
pub(crate) struct Client {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Client {
    /// Ends a load that has no end, and waits for one that has. Returns what it met.
    pub(crate) async fn finish(self) -> Met {
        let Self { mut child, input, mut output } = self;
        drop(input);
        let met = output.next_line().await.unwrap();
        assert!(child.wait().await.unwrap().success(), "a client failed; its errors stand above");
        Met::of(&serde_json::from_str(&met.unwrap()).unwrap())
    }
}

/// What a load met with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Met {
    /// The times to good answers, shortest first.
    pub(crate) good: Vec<Duration>,
    /// The times to 503 and 429.
    pub(crate) refused: Vec<Duration>,
    /// How many answers were of another status, such as to credentials that are made up.
    pub(crate) others: u64,
    time: Duration,
}

impl Met {
    /// `wanted` is the status of a good answer, if it is not one of success.
    fn new((answers, time): Answers, wanted: Option<u16>) -> Self {
        let mut met = Self { time, ..Self::default() };
        for (status, took) in answers {
            match status {
                status if wanted.map_or((200..300).contains(&status), |wanted| wanted == status) => met.good.push(took),
                429 | 503 => met.refused.push(took),
                400..=428 => met.others += 1,
                other => panic!("status {other}"),
            }
        }
        met.good.sort_unstable();
        met.refused.sort_unstable();
        met
    }

    fn of(said: &Value) -> Self {
        let times = |name: &str| {
            let times = said[name].as_array().unwrap().iter();
            times.map(|time| Duration::from_micros(time.as_u64().unwrap())).collect()
        };
        Self {
            good: times("good"),
            refused: times("refused"),
            others: said["others"].as_u64().unwrap(),
            time: Duration::from_secs_f64(said["time"].as_f64().unwrap()),
        }
    }

    fn said(&self) -> Value {
        let times = |times: &[Duration]| {
            times.iter().map(Duration::as_micros).map(|time| json!(time as u64)).collect::<Value>()
        };
        json!({ "good": times(&self.good), "refused": times(&self.refused), "others": self.others, "time": self.time.as_secs_f64() })
    }

    /// Good answers in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.good.len() as f64 / self.time.as_secs_f64().max(1e-9)
    }

    /// Answers of any kind in a second.
    pub(crate) fn all(&self) -> f64 {
        let answers = self.good.len() + self.refused.len();
        (answers as f64 + self.others as f64) / self.time.as_secs_f64().max(1e-9)
    }

    /// How many of all were good.
    pub(crate) fn share(&self) -> f64 {
        self.good.len() as f64 / (self.good.len() + self.refused.len()).max(1) as f64
    }
}

/// The time that this share of them does not exceed.
pub(crate) fn quantile(times: &[Duration], share: f64) -> Duration {
    times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// In a process that is to be a client, returns when it has done its work; elsewhere, returns false at once.
pub(crate) fn work_if_asked() -> bool {
    if std::env::args().nth(1).as_deref() != Some(ARGUMENT) {
        return false;
    }
    let task: Value = serde_json::from_str(&line()).unwrap();
    let number = |name: &str| task[name].as_f64().unwrap();
    let text = |name: &str| task[name].as_str().unwrap().to_owned();
    let address = text("base").trim_start_matches("http://").to_owned();
    let answer = task["answer"].as_u64().map(|status| status as u16);
    let texts = task["requests"].as_array().unwrap().iter();
    let requests = Requests::new(texts.map(|text| text.as_str().unwrap().into()), answer);
    let (connections, time) = (number("connections") as usize, Duration::from_secs_f64(number("time")));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answers = runtime.block_on(async {
        if text("kind") == "strangers" {
            go();
            let nobody = std::iter::repeat_with(|| None).take(connections).collect();
            return open::crowd(&address, nobody, requests).await;
        }
        if ["open", "visitors"].contains(&text("kind").as_str()) {
            go();
            return open::run(&address, requests, number("rate"), time, text("kind") == "visitors").await;
        }
        let streams = open::connect(&address, connections).await;
        go();
        let began = Instant::now();
        match text("kind").as_str() {
            "crowd" => open::crowd(&address, streams.into_iter().map(Some).collect(), requests).await,
            "flood" => open::flood(streams, requests, end()).await,
            "drip" => open::drip(streams, address, end()).await,
            _ => {
                let _ = end().await;
                drop(streams);
                (Vec::new(), began.elapsed())
            }
        }
    });
    #[expect(clippy::print_stdout, reason = "how it speaks to the process that started it")]
    {
        println!("{}", Met::new(answers, answer).said());
    }
    true
}

/// Says that this client is connected, and waits until it may begin.
#[expect(clippy::print_stdout, reason = "how it speaks to the process that started it")]
fn go() {
    println!("ready");
    line();
}

fn line() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    line
}

/// Is told when the standard input is closed.
fn end() -> tokio::sync::oneshot::Receiver<()> {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        line();
        let _ = ended.send(());
    });
    end
}
