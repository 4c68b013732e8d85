//! `[matching]`: who belongs to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use m365_presence::matching::{MatchRule, MicrosoftField, PbxField, UnknownField};

use crate::config::problem::Refusal;
use crate::config::reader::Reader;

/// Who belongs to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching {
    /// Which fields are compared.
    pub rule: MatchRule,
    /// Name (h323) of a PBX user in lower case, and the object id or user principal name of the Teams user.
    pub overrides: BTreeMap<String, String>,
    /// Names (h323) of PBX users who are left out.
    pub exclude: BTreeSet<String>,
}

pub(super) fn read(reader: &mut Reader) -> Option<Matching> {
    let pbx = reader.parsed("matching.pbx", field::<PbxField>);
    let microsoft = reader.parsed("matching.microsoft", field::<MicrosoftField>);
    let strip_domain = reader.flag("matching.strip_domain");
    let overrides = reader.rows("matching.overrides");
    for row in overrides
        .iter()
        .filter(|(_, user)| user.is_empty())
        .map(|(row, _)| row)
    {
        reader.refuse_row("matching.overrides", row, "is empty");
    }
    let exclude = reader.list_or("matching.exclude", &[]);
    let exclude: Option<BTreeSet<String>> = exclude.map(|names| names.into_iter().collect());
    let excluded = |name: &String| {
        exclude
            .iter()
            .flatten()
            .any(|excluded| excluded.eq_ignore_ascii_case(name))
    };
    if overrides.keys().any(excluded) {
        let remedy = "keep one of the two: an excluded user is never matched";
        reader.warn(
            "matching.exclude",
            "names a user of matching.overrides, too",
            remedy,
        );
    }
    let rule = MatchRule {
        pbx: pbx?,
        microsoft: microsoft?,
        strip_domain: strip_domain?,
    };
    Some(Matching {
        rule,
        overrides,
        exclude: exclude?,
    })
}

fn field<T: FromStr<Err = UnknownField>>(text: &str) -> Result<T, Refusal> {
    text.parse()
        .map_err(|error: UnknownField| Refusal::with_allowed("is no field to match by", error.allowed))
}
