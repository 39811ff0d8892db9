//! A client that costs little: one request over and over on kept-alive connections.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What a load met with.
pub(crate) struct Figures {
    /// Requests answered in a second.
    pub(crate) rate: f64,
    /// The median time to an answer.
    pub(crate) median: Duration,
    /// The time that one answer in a hundred exceeds.
    pub(crate) p99: Duration,
}

/// Asks for `path` on this many connections for some time; every answer must be a 200.
pub(crate) async fn run(base: &str, path: &str, key: &str, connections: usize, time: Duration) -> Figures {
    run_expecting(base, path, key, connections, time, 200).await
}

/// [`run`], where every answer must have another status.
pub(crate) async fn run_expecting(
    base: &str,
    path: &str,
    key: &str,
    connections: usize,
    time: Duration,
    status: u16,
) -> Figures {
    let address = base.trim_start_matches("http://").to_owned();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\r\n");
    let started = Instant::now();
    let tasks: Vec<_> =
        (0..connections).map(|_| tokio::spawn(ask(address.clone(), request.clone(), started + time, status))).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort_unstable();
    Figures { rate, median: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
}

async fn ask(address: String, request: String, until: Instant, status: u16) -> Vec<Duration> {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut times, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    while Instant::now() < until {
        let started = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        read_answer(&mut stream, &mut buffer, status).await;
        times.push(started.elapsed());
    }
    times
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8], status: u16) {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(read > 0, "the service closed the connection");
        filled += read;
        if let Some(whole) = whole_length(&buffer[..filled])
            && filled >= whole
        {
            assert!(
                buffer.starts_with(format!("HTTP/1.1 {status}").as_bytes()),
                "{}",
                String::from_utf8_lossy(&buffer[..filled])
            );
            return;
        }
    }
}

/// The length of the answer once its head is there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).unwrap().to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    Some(head + 4 + length.trim().parse::<usize>().unwrap())
}

/// The middle one of several values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
