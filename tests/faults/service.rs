//! The service killed with `kill -9`, again and again.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::TcpListener,
    time::Duration,
};

use diesel::connection::SimpleConnection;
use nix::sys::signal::Signal;
use tenantry_tests::{Encryption, OwnServer, Presented, SmtpServer, count};
use tokio::time::sleep;

use crate::{
    kit::Tenantry,
    load::{Asked, Mix, Retries, Seen, check, longest},
    outage::Stand,
};

const KILLS: usize = 20;

/// Kills a service with this load at moments that nobody chooses, and returns what is left when all emails are sent.
async fn killed(mail: &SmtpServer, mix: Mix) -> (Stand, Vec<Seen>) {
    let server = OwnServer::start();
    // The port that it has now, it has after each restart.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let tenantry = Tenantry::at(&server.service_url())
        .sending_to(mail)
        .with("TENANTRY_BIND", &port.to_string())
        .with("TENANTRY_MAX_EMAILS_PER_DAY", "100000")
        .with("TENANTRY_MAX_PENDING_INVITATIONS", "100000");
    let mut stand = Stand { replicas: vec![tenantry.serve()], tenantry, server };
    let load = stand.load(mix).await;
    for _ in 0..KILLS {
        sleep(Duration::from_millis(50 + RandomState::new().hash_one("moment") % 700)).await;
        let service = stand.replicas.remove(0);
        service.signal(Signal::SIGKILL);
        service.wait();
        stand.replicas.push(stand.tenantry.serve());
        load.until_good(1, 5).await;
    }
    let seen = load.end().await;
    let mut admin = stand.server.admin();
    // What a killed sender was about to send is due again after minutes, for which nobody waits here.
    let due = "UPDATE outbox_messages SET next_attempt_at = now() WHERE state = 'pending';
               UPDATE tenants SET mail_due_at = now()";
    while count(&mut admin, "SELECT FROM outbox_messages WHERE state = 'pending'") > 0 {
        admin.batch_execute(due).unwrap();
        sleep(Duration::from_millis(500)).await;
    }
    (stand, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_killed_twenty_times_loses_no_write_and_no_email() {
    let mail = SmtpServer::with(Encryption::Nothing, Presented::Own);
    let (stand, seen) = killed(&mail, Mix { invites: true, ..Mix::default() }).await;
    let mut sent: HashMap<String, usize> = HashMap::new();
    for to in mail.mails().into_iter().flat_map(|mail| mail.to) {
        *sent.entry(to).or_default() += 1;
    }
    let (acknowledged, unacknowledged) = check(&seen, &mut stand.server.admin());
    let unanswered = seen.iter().filter(|one| one.status == 0).count();
    let twice = sent.values().filter(|times| **times > 1).count();
    println!(
        "service killed {KILLS} times: {} requests, {unanswered} without an answer; {acknowledged} writes acknowledged and there, \
         {unacknowledged} there that were not; {} people invited, {twice} of them more than once; longest answer {} ms",
        seen.len(),
        sent.len(),
        longest(&seen).as_millis()
    );
    for one in &seen {
        if let (Asked::Invite { email }, 201) = (&one.asked, one.status) {
            assert!(sent.contains_key(email), "{email} was invited and got no email");
        }
    }
    assert!(unanswered > 0, "it was killed while it worked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_with_its_key_has_one_effect_however_often_the_service_is_killed() {
    let mail = SmtpServer::with(Encryption::Nothing, Presented::Own);
    let (stand, seen) = killed(&mail, Mix { invites: true, retries: Retries::Everybody, ..Mix::default() }).await;
    let (acknowledged, _) = check(&seen, &mut stand.server.admin());
    let posts: Vec<_> =
        seen.iter().filter(|one| matches!(one.asked, Asked::Create { .. } | Asked::Invite { .. })).collect();
    let replayed = posts.iter().filter(|one| one.replayed).count();
    println!(
        "service killed {KILLS} times: {acknowledged} writes acknowledged and there; {} of them sent with a key until they were \
         answered, {replayed} with the answer to an attempt from before",
        posts.len()
    );
    assert!(posts.iter().all(|one| one.status == 201), "each is answered in the end, and is there once");
    assert!(replayed > 0, "some were done by an attempt that was not answered");
}
