//! Sends what the outbox holds, while the service runs.

use std::{net::SocketAddr, time::Duration};

use tenantry_operations::{
    Store,
    mail::{MailOptions, Mailer},
    outbox::{self, Sender},
};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    exit::Exit,
    settings::{Mail, Settings},
};

/// The longest pause after a round that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The workers, each of which sends one letter at a time. Dropping them stops them in the middle of whatever they do.
pub(super) struct Letters {
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

/// The mailer of the settings; none where this process sends nothing.
pub(super) fn mailer(settings: &Settings) -> Result<Option<Mailer>, Exit> {
    let mailer = settings.mail.as_ref().map(|mail| Mailer::new(&mail.options)).transpose();
    mailer.map_err(|fault| Exit::settings(vec![fault]))
}

impl Letters {
    /// Begins to send. Invitations lead to the address where the service listens, unless the settings name a page.
    pub(super) fn start(
        settings: &Settings,
        mailer: Option<Mailer>,
        store: &Store,
        address: SocketAddr,
    ) -> Result<Self, Exit> {
        let mut letters = Self { stop: watch::Sender::new(false), workers: JoinSet::new() };
        let (Some(mail), Some(mailer)) = (&settings.mail, mailer) else { return Ok(letters) };
        let link = match &mail.link {
            Some(link) => link.clone(),
            None => format!("http://localhost:{}/docs#invitation={{token}}", address.port())
                .parse()
                .map_err(|refusal| Exit::failed(format!("the link of invitations {refusal}")))?,
        };
        match &mail.options {
            MailOptions::Smtp(smtp) => tracing::info!(host = smtp.host, "letters go to the mail server"),
            MailOptions::Files(path) => {
                tracing::info!(directory = %path.display(), "letters become files, because TENANTRY_SMTP_HOST is not set");
            }
        }
        let sender = Sender { mailer, from_address: mail.from.clone(), link };
        for _ in 0..mail.workers {
            letters.workers.spawn(work(store.clone(), sender.clone(), mail.clone(), letters.stop.subscribe()));
        }
        Ok(letters)
    }

    /// Lets the workers finish the letters that are under way, and no other, within this time.
    pub(super) async fn finish(&mut self, grace: Duration) {
        self.stop.send_replace(true);
        let all = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!("a letter took too long and may be sent twice, by the next who sends");
        }
    }
}

/// Round after round; with a pause where there is nothing to do, and with longer and longer ones where the database is away.
async fn work(store: Store, sender: Sender, mail: Mail, mut stop: watch::Receiver<bool>) {
    let asked = stop.clone();
    let mut pause = mail.poll;
    while !*asked.borrow() {
        pause = match outbox::deliver_due(&store, &sender, || !*asked.borrow()).await {
            Ok(report) if report.is_empty() => mail.poll,
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(?error, "could not look into the outbox; it is tried again");
                (pause * 2).min(LONGEST_PAUSE).max(mail.poll)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // An error means that whoever could ask is gone.
            _ = stop.changed() => return,
        }
    }
}
