//! What becomes of an HTML signature that is sent: what was removed from it is in the answer, or the request is refused for it.

use serde::Serialize;
use tenantry_domain::{Error, MAX_REMOVED, Refusal, Removed, RemovedKind, SignatureHandling, SignatureHtml};
use utoipa::ToSchema;

use crate::{
    error::Failure,
    extract::{OrDefault, Query, query},
    schema::Word,
};

query! {
    /// What to do with a signature that cannot stay as it is.
    pub(crate) struct SignatureQuery {
        /// `sanitise` removes what is not allowed in an email from `emailSignatureHtml`, and the response lists it in `removed`.
        /// `strict` refuses such a signature.
        signature: OrDefault<SignatureHandling>,
    }
}

type RemovedKindWord = Word<RemovedKind>;

/// Something that was removed from an HTML signature before it was stored.
#[derive(Serialize, ToSchema)]
#[schema(as = RemovedFromSignature)]
pub(crate) struct RemovedView {
    /// What it is.
    #[schema(example = "style")]
    kind: RemovedKindWord,
    /// The name of the element, attribute or style property; of a link or an image, the start of its address.
    #[schema(example = "position")]
    name: String,
    /// The element that it was, or that it was on.
    #[schema(example = "div")]
    element: String,
    /// Which element of that name, in their order in the HTML. If there were several, this is the first.
    #[schema(example = 2, minimum = 1)]
    number: usize,
    /// How often the same was removed from elements of that name.
    #[schema(example = 1, minimum = 1)]
    count: usize,
}

impl From<&Removed> for RemovedView {
    fn from(removed: &Removed) -> Self {
        Self {
            kind: Word(removed.kind),
            name: removed.name.clone(),
            element: removed.element.clone(),
            number: removed.number,
            count: removed.count,
        }
    }
}

/// What was removed from the signature, for the answer; `None` if nothing was.
///
/// # Errors
///
/// `Invalid` if anything was, and the caller does not want that.
pub(super) fn removed(
    query: &Query<SignatureQuery>,
    signature: Option<&SignatureHtml>,
) -> Result<Option<Vec<RemovedView>>, Failure> {
    let removed = signature.map(SignatureHtml::removed).filter(|removed| !removed.is_empty());
    match (query.0.signature, removed) {
        (_, None) => Ok(None),
        (SignatureHandling::Sanitise, Some(removed)) => Ok(Some(removed.iter().map(RemovedView::from).collect())),
        (SignatureHandling::Strict, Some(removed)) => {
            Err(Error::Invalid(vec![would_change(removed).of("emailSignatureHtml".to_owned())]).into())
        }
    }
}

/// How many are named in a refusal. The answer to a request without `strict` has them all.
const NAMED: usize = 5;

fn would_change(removed: &[Removed]) -> Refusal {
    let named: Vec<_> = removed.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match removed.len() {
        MAX_REMOVED => format!(" and at least {} more", MAX_REMOVED - NAMED),
        length if length > NAMED => format!(" and {} more", length - NAMED),
        _ => String::new(),
    };
    let message = format!("has content that is not allowed in an email signature: {}{more}", named.join(", "));
    Refusal::new("not_allowed_in_email", message)
}
