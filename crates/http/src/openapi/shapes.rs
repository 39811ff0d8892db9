//! What generators make types of, made the same everywhere: integers of one width, and what may be null as one type.

use utoipa::openapi::{
    Components, KnownFormat, Object, RefOr, Schema, SchemaFormat,
    schema::{AdditionalProperties, ArrayItems, SchemaType, Type},
};

/// Goes over all schemas.
pub(super) fn unify(components: &mut Components) {
    components.schemas.values_mut().for_each(|schema| visit(schema, &unify_one));
}

fn visit(schema: &mut RefOr<Schema>, change: &impl Fn(&mut Object)) {
    let RefOr::T(own) = schema else { return };
    match own {
        Schema::Object(object) => {
            change(object);
            object.properties.values_mut().for_each(|field| visit(field, change));
            if let Some(AdditionalProperties::RefOr(more)) = object.additional_properties.as_deref_mut() {
                visit(more, change);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                visit(items, change);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(|item| visit(item, change)),
        Schema::AllOf(all) => all.items.iter_mut().for_each(|item| visit(item, change)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|item| visit(item, change)),
        _ => {}
    }
}

/// An integer has 64 bits. The types of the code are narrower here and there, which is nothing that a client should depend on.
fn unify_one(object: &mut Object) {
    let is_integer = match &object.schema_type {
        SchemaType::Type(one) => *one == Type::Integer,
        SchemaType::Array(several) => several.contains(&Type::Integer),
        SchemaType::AnyValue => false,
    };
    if is_integer {
        object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    }
}
