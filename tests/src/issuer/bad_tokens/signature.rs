//! Wrong signatures, and right ones that prove nothing.

use num_bigint::BigUint;

use super::Named;
use crate::issuer::{Draft, Signing, Trio, encoded, hmac, trio::signed_as};

/// The order of the group on P-256.
const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

pub(super) fn all(trio: &Trio) -> Named {
    let mut bad = unsigned(trio);
    bad.extend(public_keys_as_secrets(trio));
    bad.extend(other_algorithms(trio));
    bad.extend(ecdsa(trio));
    bad.extend(other_keys(trio));
    bad
}

fn unsigned(trio: &Trio) -> Named {
    let draft = trio.issuer.draft("es");
    let mut bad = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE"] {
        let draft = draft.clone().header("alg", alg);
        bad.push((format!("alg {alg}, unsigned"), draft.signed(|_| Vec::new())));
        bad.push((format!("alg {alg}, signed"), draft.token()));
        bad.push((format!("alg {alg}, no kid, unsigned"), draft.without_header("kid").signed(|_| Vec::new())));
    }
    bad.push(("no signature".to_owned(), draft.signed(|_| Vec::new())));
    bad.push(("the signature of another token".to_owned(), {
        let other = draft.clone().claim("sub", "somebody else").token();
        let signature = other.rsplit('.').next().unwrap();
        format!("{}.{}.{signature}", encoded(draft.header_json()), encoded(draft.payload_json()))
    }));
    for kid in ["rs", "ps", "es", "ed"] {
        let key = trio.issuer.key(kid);
        let flipped = |at: usize| {
            trio.issuer.draft(kid).signed(|message| {
                let mut signature = key.sign(message);
                let at = at.min(signature.len() - 1);
                signature[at] ^= 1;
                signature
            })
        };
        bad.push((format!("first bit of {kid}'s signature flipped"), flipped(0)));
        bad.push((format!("last bit of {kid}'s signature flipped"), flipped(usize::MAX)));
        let cut = trio.issuer.draft(kid).signed(|message| key.sign(message).split_last().unwrap().1.to_vec());
        bad.push((format!("{kid}'s signature cut"), cut));
        let longer = trio.issuer.draft(kid).signed(|message| [key.sign(message), vec![0]].concat());
        bad.push((format!("{kid}'s signature with a byte more"), longer));
    }
    bad
}

fn public_keys_as_secrets(trio: &Trio) -> Named {
    let mut bad = Vec::new();
    for kid in ["rs", "es", "ed"] {
        for (form, secret) in trio.issuer.key(kid).public_forms() {
            let draft = trio.issuer.draft(kid).header("alg", "HS256");
            bad.push((
                format!("HS256 with {kid}'s public key, {form}"),
                draft.signed(|message| hmac(&secret, message)),
            ));
            let draft = trio.issuer.draft(kid);
            bad.push((format!("HMAC with {kid}'s public key, {form}"), draft.signed(|message| hmac(&secret, message))));
        }
    }
    for secret in ["", "secret"] {
        let draft = trio.issuer.draft("es").header("alg", "HS256");
        bad.push((format!("HS256 with {secret:?}"), draft.signed(|message| hmac(secret.as_bytes(), message))));
    }
    bad
}

/// An RSA key can do all of these, and is for one of them.
fn other_algorithms(trio: &Trio) -> Named {
    let all =
        [("RS256", Signing::Rs256), ("PS256", Signing::Ps256), ("RS512", Signing::Rs512), ("PS512", Signing::Ps512)];
    let mut bad = Vec::new();
    for (kid, own) in [("rs", Signing::Rs256), ("ps", Signing::Ps256)] {
        for (alg, _) in all {
            for (how, signing) in all {
                if (alg, signing) != (trio.issuer.key(kid).alg(), own) {
                    bad.push((
                        format!("{kid}: alg {alg}, signed as {how}"),
                        signed_as(&trio.issuer, kid, alg, signing),
                    ));
                }
            }
        }
    }
    for alg in ["rs256", "ES384", "ES256K", "ES512", "HS384", "EDDSA", "Ed25519", "RSA-OAEP", "dir", ""] {
        bad.push((format!("alg {alg:?}"), trio.issuer.draft("es").header("alg", alg).token()));
    }
    bad.push(("ES256 by the name of an Ed25519 key".to_owned(), {
        trio.issuer.draft("es").header("kid", "ed").token()
    }));
    bad
}

fn ecdsa(trio: &Trio) -> Named {
    let (key, draft) = (trio.issuer.key("es"), trio.issuer.draft("es"));
    let order = BigUint::parse_bytes(N.as_bytes(), 16).unwrap();
    let bytes = |number: &BigUint| {
        let bytes = number.to_bytes_be();
        [vec![0; 32 - bytes.len()], bytes].concat()
    };
    let (zero, one) = (vec![0; 32], bytes(&BigUint::from(1_u8)));
    let (n, above, most) = (bytes(&order), bytes(&(&order + 1_u8)), vec![0xff; 32]);
    let mut bad: Named = Vec::new();
    for (name, r, s) in [
        ("(0, 0)", &zero, &zero),
        ("(0, 1)", &zero, &one),
        ("(1, 0)", &one, &zero),
        ("(1, 1)", &one, &one),
        ("(n, n)", &n, &n),
        ("(n + 1, n + 1)", &above, &above),
        ("all ones", &most, &most),
    ] {
        bad.push((format!("ES256 {name}"), draft.signed(|_| [r.clone(), s.clone()].concat())));
    }
    type Change<'a> = (&'a str, Box<dyn Fn(&[u8], &[u8]) -> Vec<u8> + 'a>);
    let changes: Vec<Change<'_>> = vec![
        ("(r, 0)", Box::new(|r, _| [r, &zero].concat())),
        ("(0, s)", Box::new(|_, s| [&zero, s].concat())),
        ("(r, n)", Box::new(|r, _| [r, &n].concat())),
        ("(n, s)", Box::new(|_, s| [&n, s].concat())),
        ("(r, r)", Box::new(|r, _| [r, r].concat())),
        ("(s, r)", Box::new(|r, s| [s, r].concat())),
        ("(-r, s)", Box::new(|r, s| [&bytes(&(&order - BigUint::from_bytes_be(r))), s].concat())),
        ("with a zero before each", Box::new(|r, s| [&[0], r, &[0], s].concat())),
        ("63 bytes", Box::new(|r, s| [r, &s[..31]].concat())),
        ("a zero before", Box::new(|r, s| [&[0], r, s].concat())),
    ];
    for (name, change) in changes {
        let changed = |message: &[u8]| {
            let signature = key.sign(message);
            change(&signature[..32], &signature[32..])
        };
        bad.push((format!("ES256 {name}"), draft.signed(changed)));
    }
    bad.push(("ES256 in DER".to_owned(), draft.signed(|message| key.sign_as(Signing::Es256Der, message))));
    bad
}

fn other_keys(trio: &Trio) -> Named {
    let by = |draft: Draft, key| draft.signed_by(key).token();
    let (issuer, other, stranger) = (&trio.issuer, &trio.other, &trio.stranger);
    vec![
        ("signed by another key of the issuer".to_owned(), by(issuer.draft("es"), issuer.key("es-2"))),
        ("signed by the other issuer's key of that name".to_owned(), by(issuer.draft("es"), other.key("es"))),
        ("and the reverse".to_owned(), by(other.draft("es"), issuer.key("es"))),
        ("signed by the stranger's key of that name".to_owned(), by(issuer.draft("es"), stranger.key("es"))),
        ("signed by the stranger, without kid".to_owned(), {
            by(issuer.draft("ed").without_header("kid"), stranger.key("ed"))
        }),
        ("the stranger's token".to_owned(), stranger.draft("es").token()),
    ]
}
