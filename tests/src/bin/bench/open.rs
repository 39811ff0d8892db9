//! An open load: requests start when they are due, however long the ones before them take, and their time counts from when they
//! were due. A client that waits for answers before it asks again would not see the worst of an overload.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

/// How many connections carry the load. What is due while all of them wait starts late, and counts from when it was due.
const CONNECTIONS: usize = 600;

/// A request as it is sent.
pub(crate) fn request(method: &str, path: &str, key: &str, body: &str) -> Arc<str> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// What a load met with.
#[derive(Default)]
pub(crate) struct Met {
    /// The times to answers of status 2xx, shortest first.
    pub(crate) good: Vec<Duration>,
    /// The times to 503 and 429.
    pub(crate) refused: Vec<Duration>,
    time: Duration,
}

impl Met {
    /// Good answers in a second.
    pub(crate) fn rate(&self) -> f64 {
        self.good.len() as f64 / self.time.as_secs_f64()
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

/// Sends so many in a second, for some time.
pub(crate) async fn run(base: &str, request: &Arc<str>, rate: f64, time: Duration) -> Met {
    let (started, total) = (Instant::now(), (rate * time.as_secs_f64()) as u64);
    let sent = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..CONNECTIONS.min(total as usize))
        .map(|_| {
            let (sent, request, address) = (Arc::clone(&sent), Arc::clone(request), address(base));
            tokio::spawn(async move {
                let (mut stream, mut answers) = (connect(&address).await, Vec::new());
                loop {
                    let number = sent.fetch_add(1, Ordering::Relaxed);
                    if number >= total {
                        return answers;
                    }
                    let due = started + Duration::from_secs_f64(number as f64 / rate);
                    tokio::time::sleep_until(due.into()).await;
                    let status = ask(&mut stream, &request).await;
                    answers.push((status, due.elapsed()));
                }
            })
        })
        .collect();
    sorted(tasks, time).await
}

/// Asks on so many connections without a pause until it is aborted.
pub(crate) fn flood(base: &str, request: &Arc<str>, connections: usize) -> Vec<JoinHandle<()>> {
    let one = || {
        let (request, address) = (Arc::clone(request), address(base));
        tokio::spawn(async move {
            let mut stream = connect(&address).await;
            loop {
                ask(&mut stream, &request).await;
            }
        })
    };
    (0..connections).map(|_| one()).collect()
}

async fn sorted(tasks: Vec<JoinHandle<Vec<(u16, Duration)>>>, time: Duration) -> Met {
    let mut met = Met { time, ..Met::default() };
    for task in tasks {
        for (status, took) in task.await.unwrap() {
            match status {
                200..=299 => met.good.push(took),
                429 | 503 => met.refused.push(took),
                other => panic!("status {other}"),
            }
        }
    }
    met.good.sort_unstable();
    met.refused.sort_unstable();
    met
}

fn address(base: &str) -> String {
    base.trim_start_matches("http://").to_owned()
}

async fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends a request and reads the whole answer, of which only the status is kept.
async fn ask(stream: &mut TcpStream, request: &str) -> u16 {
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut head, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    let (mut left, status) = loop {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the service closed the connection");
        head.extend_from_slice(&buffer[..read]);
        let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&head[..end]).unwrap().to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let length: usize = length.trim().parse().unwrap();
        break (length + end + 4 - head.len(), text[9..12].parse().unwrap());
    };
    while left > 0 {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the service closed the connection");
        left -= read;
    }
    status
}
