//! The recorded and documented bodies, and what they are made of.

use serde_json::Value;

/// Reads a vector.
pub fn vector(path: &str) -> Value {
    let path = format!("{}/../graph/tests/vectors/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The members of an object and of the objects in it, with their places.
fn members(value: &Value, place: &str, found: &mut Vec<String>) {
    for (name, inner) in value.as_object().into_iter().flatten() {
        let place = format!("{place}/{name}");
        members(inner, &place, found);
        found.push(place);
    }
}

/// Returns the places of all members.
pub fn shape(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    members(value, "", &mut found);
    found.sort();
    found
}
