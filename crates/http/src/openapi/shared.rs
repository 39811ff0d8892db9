//! Parameters that several operations have stand in the components, and the operations refer to them.

use utoipa::openapi::{OpenApi, PathItem, Ref, RefOr, path::Parameter};

use crate::schema::SHARED;

/// Moves every parameter that has a name for it into the components.
pub(super) fn parameters(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for parameter in document.paths.paths.values_mut().flat_map(parameters_of) {
        let RefOr::T(shared) = parameter else { continue };
        if let Some(name) = name_of(shared) {
            let reference = Ref::new(format!("#/components/parameters/{name}"));
            components.parameters.insert(name, std::mem::replace(parameter, RefOr::Ref(reference)));
        }
    }
}

fn parameters_of(item: &mut PathItem) -> impl Iterator<Item = &mut RefOr<Parameter>> {
    let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
    operations.into_iter().flatten().flat_map(|operation| operation.parameters.iter_mut().flatten())
}

/// Takes the name off.
fn name_of(parameter: &mut Parameter) -> Option<String> {
    let name = parameter.extensions.as_mut()?.remove(SHARED)?;
    parameter.extensions = parameter.extensions.take().filter(|rest| !rest.is_empty());
    name.as_str().map(str::to_owned)
}
