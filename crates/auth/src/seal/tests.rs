//! What sealing keeps, and everything at which it must not open.

use std::collections::HashSet;

use uuid::Uuid;

use super::*;

fn key(version: u16) -> MasterKey {
    MasterKey::generate(version).unwrap().parse().unwrap()
}

fn keys() -> MasterKeys {
    MasterKeys::new(key(1), Vec::new()).unwrap()
}

fn context() -> SealContext {
    let id = |n| Uuid::from_u128(n);
    SealContext {
        tenant: TenantId::from_uuid(id(1)),
        workspace: WorkspaceId::from_uuid(id(2)),
        provider: Provider::OpenAi,
        field: "apiKey",
        set_at: DateTime::from_timestamp_micros(7).unwrap(),
    }
}

fn secret() -> PlainSecret {
    "sk-proj-canary-0123456789".parse().unwrap()
}

#[test]
fn what_is_sealed_opens_at_its_place() {
    let keys = keys();
    let sealed = keys.seal(&context(), &secret()).unwrap();
    assert_eq!(keys.open(&context(), &sealed).unwrap().reveal(), secret().reveal());
    assert_eq!((sealed.as_bytes().len(), sealed_under(&sealed)), (3 + 12 + 25 + 16, Some(1)));
    let text = String::from_utf8_lossy(sealed.as_bytes()).into_owned();
    assert!(!text.contains("canary") && !format!("{keys:?} {:?}", key(1)).contains("canary"));
}

#[test]
fn what_renews_a_secret_is_sealed_with_it() {
    let (keys, ends_at) = (keys(), DateTime::from_timestamp(1_800_000_000, 0));
    let renewable = secret().renewed_with("canary-refresh-0123".parse().unwrap(), ends_at);
    let sealed = keys.seal(&context(), &renewable).unwrap();
    assert!(!String::from_utf8_lossy(sealed.as_bytes()).contains("canary"));
    let opened = keys.open(&context(), &sealed).unwrap();
    let renewal = opened.renewal().unwrap();
    assert_eq!((opened.reveal(), renewal.refresh_token()), (secret().reveal(), "canary-refresh-0123"));
    assert_eq!(renewal.ends_at(), ends_at);
}

#[test]
fn it_opens_at_no_other_place() {
    let keys = keys();
    let sealed = keys.seal(&context(), &secret()).unwrap();
    let other = |n| Uuid::from_u128(n);
    for elsewhere in [
        SealContext { tenant: TenantId::from_uuid(other(3)), ..context() },
        SealContext { workspace: WorkspaceId::from_uuid(other(3)), ..context() },
        SealContext { tenant: TenantId::from_uuid(other(2)), workspace: WorkspaceId::from_uuid(other(1)), ..context() },
        SealContext { provider: Provider::ElevenLabs, ..context() },
        SealContext { field: "accessToken", ..context() },
        SealContext { set_at: DateTime::from_timestamp_micros(8).unwrap(), ..context() },
    ] {
        assert_eq!(keys.open(&elsewhere, &sealed).unwrap_err(), Unopened, "{elsewhere:?}");
    }
}

#[test]
fn the_parts_of_a_place_stand_behind_their_lengths() {
    let length = |n: u8| [0, 0, 0, 0, 0, 0, 0, n];
    let id = |n: u8| [[0; 15].as_slice(), &[n]].concat();
    let expected = [
        [length(1).as_slice(), &[1], &length(2), &[1, 2]].concat(),
        [length(16).as_slice(), &id(1), &length(16), &id(2)].concat(),
        [length(6).as_slice(), b"openai", &length(6), b"apiKey"].concat(),
    ];
    // Whoever changes this can open nothing that is stored.
    assert_eq!(context().associated_data(1, 0x0102), expected.concat());
    let expected = [&expected.concat().replacing_form(2), length(8).as_slice(), &[0, 0, 0, 0, 0, 0, 0, 7]].concat();
    assert_eq!(context().associated_data(2, 0x0102), expected);
}

#[test]
fn the_secrets_of_a_webhook_open_at_their_place_and_nowhere_else() {
    let (keys, id) = (keys(), |n| Uuid::from_u128(n));
    let set_at = DateTime::from_timestamp_micros(7).unwrap();
    let context = WebhookContext {
        tenant: TenantId::from_uuid(id(1)),
        webhook: tenantry_domain::WebhookId::from_uuid(id(2)),
        set_at,
    };
    let sealed = keys.seal_webhook(&context, &secret()).unwrap();
    assert_eq!(keys.open_webhook(&context, &sealed).unwrap().reveal(), secret().reveal());
    for elsewhere in [
        WebhookContext { tenant: TenantId::from_uuid(id(3)), ..context },
        WebhookContext { webhook: tenantry_domain::WebhookId::from_uuid(id(3)), ..context },
        WebhookContext { set_at: DateTime::from_timestamp_micros(8).unwrap(), ..context },
    ] {
        assert_eq!(keys.open_webhook(&elsewhere, &sealed).unwrap_err(), Unopened, "{elsewhere:?}");
    }
}

fn answer() -> AnswerContext<'static> {
    AnswerContext {
        tenant: TenantId::from_uuid(Uuid::from_u128(1)),
        actor: ("api_key", "ada"),
        key_hash: &[3; 32],
        request_hash: &[4; 32],
    }
}

#[test]
fn an_answer_opens_for_its_own_request_of_its_own_sender_alone() {
    let keys = keys();
    let sealed = keys.seal_answer(&answer(), b"canary").unwrap();
    assert_eq!(keys.open_answer(&answer(), &sealed).unwrap().as_slice(), b"canary");
    for elsewhere in [
        AnswerContext { tenant: TenantId::from_uuid(Uuid::from_u128(2)), ..answer() },
        AnswerContext { actor: ("member", "ada"), ..answer() },
        AnswerContext { actor: ("api_key", "eve"), ..answer() },
        AnswerContext { actor: ("api_keya", "da"), ..answer() },
        AnswerContext { key_hash: &[5; 32], ..answer() },
        AnswerContext { request_hash: &[5; 32], ..answer() },
    ] {
        assert_eq!(keys.open_answer(&elsewhere, &sealed).unwrap_err(), Unopened, "{elsewhere:?}");
    }
    let relabelled = SealedSecret::from_bytes([&[TIMELESS], &sealed.as_bytes()[1..]].concat());
    assert_eq!(keys.open_answer(&answer(), &relabelled).unwrap_err(), Unopened);
}

#[test]
fn the_parts_of_a_webhooks_context_stand_behind_their_lengths() {
    let part = |bytes: &[u8]| [&(bytes.len() as u64).to_be_bytes(), bytes].concat();
    let id = |last: u8| [[0; 15].as_slice(), &[last]].concat();
    let context = WebhookContext {
        tenant: TenantId::from_uuid(Uuid::from_u128(1)),
        webhook: tenantry_domain::WebhookId::from_uuid(Uuid::from_u128(2)),
        set_at: DateTime::from_timestamp_micros(7).unwrap(),
    };
    let parts: [&[u8]; 6] = [&[2], &[1, 2], b"webhook", &id(1), &id(2), &[0, 0, 0, 0, 0, 0, 0, 7]];
    // Whoever changes this can open no secret of a webhook that is stored.
    assert_eq!(context.associated_data(2, 0x0102), parts.map(part).concat());
}

#[test]
fn the_parts_of_an_answers_context_stand_behind_their_lengths() {
    let part = |bytes: &[u8]| [&(bytes.len() as u64).to_be_bytes(), bytes].concat();
    let id = [[0; 15].as_slice(), &[1]].concat();
    let parts: [&[u8]; 8] = [&[2], &[1, 2], b"answer", &id, b"api_key", b"ada", &[3; 32], &[4; 32]];
    // Whoever changes this can open no answer that is stored.
    assert_eq!(answer().associated_data(2, 0x0102), parts.map(part).concat());
}

trait Form {
    fn replacing_form(&self, form: u8) -> Vec<u8>;
}

impl Form for Vec<u8> {
    fn replacing_form(&self, form: u8) -> Vec<u8> {
        [&self[..8], &[form], &self[9..]].concat()
    }
}

/// A secret as it was sealed before the time was bound.
fn sealed_before(key: &MasterKey) -> SealedSecret {
    let mut sealed = secret().reveal().as_bytes().to_vec();
    let aad = Aad::from(context().associated_data(TIMELESS, key.id.version()));
    let nonce = key.key.seal_in_place_append_tag(aad, &mut sealed).unwrap();
    let [high, low] = key.id.version().to_be_bytes();
    SealedSecret::from_bytes([&[TIMELESS, high, low], nonce.as_ref().as_slice(), &sealed].concat())
}

#[test]
fn what_was_sealed_without_a_time_opens_and_is_not_taken_for_what_has_one() {
    let keys = keys();
    let old = sealed_before(&keys.0.0);
    assert_eq!(keys.open(&context(), &old).unwrap().reveal(), secret().reveal());
    assert_eq!(sealed_under(&old), Some(1));
    for (sealed, form) in [(old, FORM), (keys.seal(&context(), &secret()).unwrap(), TIMELESS)] {
        let relabelled = [&[form], &sealed.as_bytes()[1..]].concat();
        assert_eq!(keys.open(&context(), &SealedSecret::from_bytes(relabelled)).unwrap_err(), Unopened);
    }
}

#[test]
fn whatever_is_wrong_with_it_is_one_error() {
    let keys = MasterKeys::new(key(1), vec![key(2)]).unwrap();
    let good = keys.seal(&context(), &secret()).unwrap().as_bytes().to_vec();
    let opens = |bytes: &[u8]| keys.open(&context(), &SealedSecret::from_bytes(bytes.to_vec()));
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            assert_eq!(opens(&bytes).unwrap_err(), Unopened, "byte {at}, bit {bit}");
        }
        assert_eq!(opens(&good[..at]).unwrap_err(), Unopened, "cut to {at}");
    }
    let another = keys.seal(&context(), &secret()).unwrap().as_bytes().to_vec();
    let swapped = [&good[..3], &another[3..15], &good[15..]].concat();
    let relabelled = [&good[..1], &[0, 2], &good[3..]].concat();
    let longer = [good.as_slice(), &[0]].concat();
    for bytes in [Vec::new(), vec![0; 31], vec![1; 31], swapped, relabelled, longer, vec![0xff; 1 << 20]] {
        assert_eq!(opens(&bytes).unwrap_err(), Unopened);
    }
    assert!(opens(&good).is_ok());
}

#[test]
fn what_one_key_sealed_no_other_opens_not_even_one_of_its_version() {
    let sealed = keys().seal(&context(), &secret()).unwrap();
    assert_eq!(keys().open(&context(), &sealed).unwrap_err(), Unopened);
    assert_eq!(MasterKeys::new(key(2), Vec::new()).unwrap().open(&context(), &sealed).unwrap_err(), Unopened);
}

#[test]
fn the_first_key_seals_and_all_of_them_open() {
    let (old, new) = (MasterKey::generate(1).unwrap(), MasterKey::generate(2).unwrap());
    let parse = |text: &str| text.parse::<MasterKey>().unwrap();
    let before = MasterKeys::new(parse(&old), vec![parse(&new)]).unwrap();
    let after = MasterKeys::new(parse(&new), vec![parse(&old)]).unwrap();
    for (sealing, opening, version) in [(&before, &after, 1), (&after, &before, 2)] {
        let sealed = sealing.seal(&context(), &secret()).unwrap();
        assert_eq!(sealed_under(&sealed), Some(version));
        assert_eq!(opening.open(&context(), &sealed).unwrap().reveal(), secret().reveal());
    }
    assert_eq!(MasterKeys::new(parse(&old), vec![key(1)]).unwrap_err(), 1);
    assert_eq!(MasterKeys::new(key(3), vec![key(1), key(2), key(1)]).unwrap_err(), 1);
}

#[test]
fn the_newest_of_the_keys_is_the_one_with_the_highest_version() {
    for (sealing, others) in [(1, vec![7, 2]), (7, vec![1, 2]), (2, vec![1, 7])] {
        let keys = MasterKeys::new(key(sealing), others.into_iter().map(key).collect()).unwrap();
        assert_eq!((keys.newest(), keys.sealing().version()), (7, sealing));
    }
}

#[test]
fn what_has_no_form_of_ours_says_no_key() {
    let under = |bytes: &[u8]| sealed_under(&SealedSecret::from_bytes(bytes.to_vec()));
    assert_eq!((under(&[1, 1, 2]), under(&[2, 1, 2, 3])), (Some(0x0102), Some(0x0102)));
    for none in [&[][..], &[2], &[2, 1], &[0, 1, 2], &[3, 1, 2]] {
        assert_eq!(under(none), None, "{none:?}");
    }
}

#[test]
fn a_hundred_thousand_secrets_have_a_hundred_thousand_nonces() {
    let keys = keys();
    let nonce = |_| keys.seal(&context(), &secret()).unwrap().as_bytes()[3..15].to_vec();
    let nonces: HashSet<Vec<u8>> = (0..100_000).map(nonce).collect();
    assert_eq!(nonces.len(), 100_000);
}

#[test]
fn a_key_is_thirty_two_random_bytes_in_base64_or_hexadecimal_digits() {
    let text = MasterKey::generate(7).unwrap();
    let bytes = STANDARD.decode(&text[3..]).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let id = text.parse::<MasterKey>().unwrap().id().clone();
    assert_eq!(id.version(), 7);
    for same in
        [format!("v7:{hex}"), format!("v7:{}", hex.to_uppercase()), format!("{}\n", *text), format!("{}\r\n", *text)]
    {
        assert_eq!(*same.parse::<MasterKey>().unwrap().id(), id);
    }
    assert_ne!(*key(7).id(), id, "another key of the version");
    let of = |bytes: &[u8]| format!("v1:{}", STANDARD.encode(bytes));
    let period: Vec<u8> = bytes[..16].repeat(2);
    let there_and_back = |different: u8| -> Vec<u8> {
        let there = (0..16).map(|byte: u8| byte.min(different - 1));
        there.clone().chain(there.rev()).collect()
    };
    assert!(of(&there_and_back(16)).parse::<MasterKey>().is_ok());
    for (wrong, why) in [
        (String::new(), NotAMasterKey::Form),
        (text[3..].to_owned(), NotAMasterKey::Form),
        (format!("v0:{}", &text[3..]), NotAMasterKey::Form),
        (format!("v01:{}", &text[3..]), NotAMasterKey::Form),
        (format!("v65536:{}", &text[3..]), NotAMasterKey::Form),
        (format!("7:{}", &text[3..]), NotAMasterKey::Form),
        (format!("{} ", *text), NotAMasterKey::Form),
        (format!("{}\n\n", *text), NotAMasterKey::Form),
        ("v1:".to_owned(), NotAMasterKey::Length(0)),
        (of(&bytes[..31]), NotAMasterKey::Length(31)),
        (of(&[bytes.as_slice(), &[1]].concat()), NotAMasterKey::Length(33)),
        (of(&[0; 32]), NotAMasterKey::Weak),
        (of(&[0xff; 32]), NotAMasterKey::Weak),
        (of(&b"0123456789abcdef0123456789abcdef"[..]), NotAMasterKey::Weak),
        (of(&period), NotAMasterKey::Weak),
        (of(&[[0; 31].as_slice(), &[1]].concat()), NotAMasterKey::Weak),
        (of(&there_and_back(15)), NotAMasterKey::Weak),
        (format!("v1:{}", "aZ".repeat(32)), NotAMasterKey::Length(48)),
        (format!("v1:{}", &hex[..63]), NotAMasterKey::Form),
    ] {
        let error = wrong.parse::<MasterKey>().unwrap_err();
        assert_eq!(error, why, "{wrong}");
        assert!(!error.to_string().contains(&text[3..15]));
    }
}

#[test]
fn a_key_that_is_missing_or_another_is_objected_to() {
    let (mine, other) = (key(1), key(1));
    let (mine_id, other_id) = (mine.id().clone(), other.id().clone());
    let keys = MasterKeys::new(mine, Vec::new()).unwrap();
    assert_eq!(keys.objections(&[]), Vec::<String>::new());
    assert_eq!(keys.objections(std::slice::from_ref(&mine_id)), Vec::<String>::new());
    let objections = keys.objections(&[mine_id, other_id, key(2).id().clone()]);
    assert!(objections.len() == 2 && objections[0].contains("is not the one") && objections[1].contains("is missing"));
}

mod places {
    use proptest::prelude::*;

    use super::*;

    type Place = (u8, u16, u128, u128, usize, usize, i64);

    /// Few of each, so that some agree.
    fn place() -> impl Strategy<Value = Place> {
        (0_u8..3, 0_u16..300, 0_u128..3, 0_u128..3, 0_usize..4, 0_usize..4, 0_i64..3).prop_map(|mut place| {
            if place.0 == TIMELESS {
                place.6 = 0;
            }
            place
        })
    }

    fn data((form, version, tenant, workspace, provider, field, set_at): Place) -> Vec<u8> {
        let context = SealContext {
            tenant: TenantId::from_uuid(Uuid::from_u128(tenant)),
            workspace: WorkspaceId::from_uuid(Uuid::from_u128(workspace)),
            provider: [Provider::Twilio, Provider::ElevenLabs, Provider::OpenAi, Provider::GoHighLevel][provider],
            field: ["apiKey", "authToken", "", "apiKe"][field],
            set_at: DateTime::from_timestamp_micros(set_at).unwrap(),
        };
        context.associated_data(form, version)
    }

    proptest! {
        #[test]
        fn no_two_places_have_the_same_data(one in place(), other in place()) {
            prop_assert_eq!(data(one) == data(other), one == other);
            // Nor is the data of one the beginning of another's.
            prop_assert_eq!(data(one).starts_with(&data(other)), one == other);
        }
    }
}
