//! Sends the emails in the outbox while the service runs.

use std::{net::SocketAddr, time::Duration};

use tenantry_operations::{
    Observed, Store,
    mail::{MailOptions, Mailer},
    outbox::{self, Sender},
};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    exit::Exit,
    settings::{Mail, Settings},
};

/// The longest pause after a failed round.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The workers. Each sends one email at a time. Dropping them stops them at once, whatever they are doing.
pub(super) struct MailWorkers {
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

/// The mailer from the settings; `None` if this process sends nothing.
pub(in crate::commands) fn mailer(settings: &Settings) -> Result<Option<Mailer>, Exit> {
    let mailer = settings.mail.as_ref().map(|mail| Mailer::new(&mail.options)).transpose();
    mailer.map_err(|fault| Exit::settings(vec![fault]))
}

impl MailWorkers {
    /// Starts to send. Unless the settings name a page, invitations link to that of the service: where callers find it, or where it
    /// listens.
    pub(super) fn start(
        settings: &Settings,
        mailer: Option<Mailer>,
        store: &Store,
        address: SocketAddr,
        observed: &Observed,
    ) -> Result<Self, Exit> {
        let mut all = Self { stop: watch::Sender::new(false), workers: JoinSet::new() };
        let (Some(mail), Some(mailer)) = (&settings.mail, mailer) else { return Ok(all) };
        let link = match &mail.link {
            Some(link) => link.clone(),
            None => {
                let here = || format!("http://localhost:{}", address.port());
                let base = settings.front.url.as_ref().map_or_else(here, |url| url.as_str().to_owned());
                let link = format!("{base}/accept#{{token}}").parse();
                link.map_err(|refusal| Exit::failed(format!("the default link of invitations {refusal}")))?
            }
        };
        match &mail.options {
            MailOptions::Smtp(smtp) => tracing::info!(host = smtp.host, "emails are sent through the mail server"),
            MailOptions::Files(path) => {
                tracing::info!(directory = %path.display(), "emails are saved as files, because TENANTRY_SMTP_HOST is not set");
            }
        }
        let sender = Sender {
            mailer,
            from_address: mail.from.clone(),
            link,
            signatures: mail.signatures,
            reply_to_inviter: mail.reply_to_inviter,
        };
        for _ in 0..mail.workers {
            let stop = all.stop.subscribe();
            all.workers.spawn(work(store.clone(), sender.clone(), mail.clone(), observed.clone(), stop));
        }
        Ok(all)
    }

    /// Lets the workers finish the emails they are sending, within this time, and start no others.
    pub(super) async fn finish(&mut self, grace: Duration) {
        self.stop.send_replace(true);
        let all = async { while self.workers.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!("an email took too long to send; it may be sent a second time");
        }
    }
}

/// Runs one round after another. If there is nothing to do, waits until something was written here, or for the pause; and for longer and
/// longer while the database does not answer.
async fn work(store: Store, sender: Sender, mail: Mail, observed: Observed, mut stop: watch::Receiver<bool>) {
    let asked = stop.clone();
    let mut pause = mail.poll;
    while !*asked.borrow() {
        let round = outbox::deliver_due(&store, &sender, || !*asked.borrow()).await;
        pause = match observed.job(outbox::DELIVER, round) {
            Ok(report) if report.is_empty() => mail.poll,
            Ok(report) => {
                observed.emails(&report);
                continue;
            }
            Err(error) => {
                tracing::warn!(?error, "could not read the outbox; trying again after a pause");
                (pause * 2).min(LONGEST_PAUSE).max(mail.poll)
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = store.emails_told() => {}
            // An error means that nobody is left who could stop the workers.
            _ = stop.changed() => return,
        }
    }
}
