//! One page of the directory, read in one pass.
//!
//! A page of 999 users with all their plans has ten megabytes and more. It is read as it stands: no tree of it is built,
//! strings are made of what is kept only, and of a user's plans nothing remains but whether one of them is a Teams plan.
//! Whatever has another type than it should is passed over alone: a field counts as unset, a user without an id is
//! nobody.

use std::borrow::Cow;
use std::fmt;

use m365_presence::identity::TeamsId;
use m365_presence::teams::TeamsUser;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The users of a page, and the link to the next one as it stands there.
#[derive(Debug, Default, PartialEq)]
pub(super) struct DirectoryPage {
    /// `None` when there is no list of users.
    pub(super) users: Option<Vec<TeamsUser>>,
    pub(super) next: Option<Value>,
}

/// Reads a page; `None` when it is no JSON object, or not a whole one.
pub(super) fn read(body: &[u8], teams_plans: &[String]) -> Option<DirectoryPage> {
    let mut text = serde_json::Deserializer::from_slice(body);
    let page = As(Page { teams_plans }).deserialize(&mut text).ok()?;
    text.end().ok()?;
    page
}

/// Reads a value of one type, and makes nothing of every other.
trait Reader<'de>: Sized {
    type Read: Default;

    fn text(self, _text: Cow<'de, str>) -> Self::Read {
        Self::Read::default()
    }

    fn flag(self, _flag: bool) -> Self::Read {
        Self::Read::default()
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Read, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Read::default())
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Read, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Read::default())
    }
}

/// Makes serde's seed of a reader.
struct As<R>(R);

impl<'de, R: Reader<'de>> DeserializeSeed<'de> for As<R> {
    type Value = R::Read;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, R: Reader<'de>> Visitor<'de> for As<R> {
    type Value = R::Read;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(self.0.text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(self.0.flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(R::Read::default())
    }

    fn visit_u64<E>(self, _number: u64) -> Result<Self::Value, E> {
        Ok(R::Read::default())
    }

    fn visit_i64<E>(self, _number: i64) -> Result<Self::Value, E> {
        Ok(R::Read::default())
    }

    fn visit_f64<E>(self, _number: f64) -> Result<Self::Value, E> {
        Ok(R::Read::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        self.0.list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        self.0.object(object)
    }
}

/// A string.
struct Text;

impl<'de> Reader<'de> for Text {
    type Read = Option<Cow<'de, str>>;

    fn text(self, text: Cow<'de, str>) -> Self::Read {
        Some(text)
    }
}

/// A truth value.
struct Flag;

impl Reader<'_> for Flag {
    type Read = Option<bool>;

    fn flag(self, flag: bool) -> Self::Read {
        Some(flag)
    }
}

struct Page<'a> {
    teams_plans: &'a [String],
}

impl<'de> Reader<'de> for Page<'_> {
    type Read = Option<DirectoryPage>;

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Read, A::Error> {
        let mut page = DirectoryPage::default();
        while let Some(name) = object.next_key_seed(As(Text))? {
            match name.as_deref().unwrap_or_default() {
                name if name.eq_ignore_ascii_case("value") => {
                    page.users = object.next_value_seed(As(Users(self.teams_plans)))?;
                }
                name if name.eq_ignore_ascii_case("@odata.nextLink") => {
                    page.next = object.next_value::<Option<Value>>()?;
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Some(page))
    }
}

struct Users<'a>(&'a [String]);

impl<'de> Reader<'de> for Users<'_> {
    type Read = Option<Vec<TeamsUser>>;

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Read, A::Error> {
        let mut users = Vec::new();
        while let Some(user) = list.next_element_seed(As(User(self.0)))? {
            users.extend(user);
        }
        Ok(Some(users))
    }
}

struct User<'a>(&'a [String]);

impl<'de> Reader<'de> for User<'_> {
    type Read = Option<TeamsUser>;

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Read, A::Error> {
        let (mut id, mut kind, mut enabled, mut teams_plan) = (None, None, None, false);
        let [
            mut display,
            mut mail,
            mut nickname,
            mut distinguished,
            mut sam,
            mut premises,
            mut principal,
        ] = [const { None }; 7];
        while let Some(name) = object.next_key_seed(As(Text))? {
            let slot = match name.as_deref().unwrap_or_default() {
                "id" => &mut id,
                "userType" => &mut kind,
                "displayName" => &mut display,
                "mail" => &mut mail,
                "mailNickname" => &mut nickname,
                "onPremisesDistinguishedName" => &mut distinguished,
                "onPremisesSamAccountName" => &mut sam,
                "onPremisesUserPrincipalName" => &mut premises,
                "userPrincipalName" => &mut principal,
                "accountEnabled" => {
                    enabled = object.next_value_seed(As(Flag))?;
                    continue;
                }
                "assignedPlans" => {
                    teams_plan = object.next_value_seed(As(Plans(self.0)))?;
                    continue;
                }
                _ => {
                    object.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *slot = object.next_value_seed(As(Text))?.map(Cow::into_owned);
        }
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        Ok(Some(TeamsUser {
            id: TeamsId::new(id),
            guest: is_guest(kind.as_deref(), principal.as_deref()),
            display_name: display,
            mail,
            mail_nickname: nickname,
            on_premises_distinguished_name: distinguished,
            on_premises_sam_account_name: sam,
            on_premises_user_principal_name: premises,
            user_principal_name: principal,
            account_enabled: enabled.unwrap_or(true),
            teams_plan,
        }))
    }
}

/// Where the kind of user is not told, the sign-in name of a guest tells it: `adele_fabrikam.com#EXT#@contoso.com`.
fn is_guest(kind: Option<&str>, sign_in_name: Option<&str>) -> bool {
    match kind {
        Some(kind) => kind.eq_ignore_ascii_case("guest"),
        None => sign_in_name.is_some_and(|name| name.to_ascii_uppercase().contains("#EXT#")),
    }
}

/// Whether one of the plans is a Teams plan that works.
struct Plans<'a>(&'a [String]);

impl<'de> Reader<'de> for Plans<'_> {
    type Read = bool;

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Read, A::Error> {
        let mut works = false;
        while let Some(plan) = list.next_element_seed(As(Plan(self.0)))? {
            works |= plan;
        }
        Ok(works)
    }
}

struct Plan<'a>(&'a [String]);

impl<'de> Reader<'de> for Plan<'_> {
    type Read = bool;

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Read, A::Error> {
        let (mut is_teams, mut works) = (false, false);
        while let Some(name) = object.next_key_seed(As(Text))? {
            match name.as_deref().unwrap_or_default() {
                "servicePlanId" => {
                    let id = object.next_value_seed(As(Text))?;
                    is_teams = id.is_some_and(|id| self.0.iter().any(|plan| plan.eq_ignore_ascii_case(&id)));
                }
                // `Warning` is the grace period, in which the service still works
                "capabilityStatus" => {
                    let status = object.next_value_seed(As(Text))?.unwrap_or_default();
                    works = ["Enabled", "Warning"]
                        .iter()
                        .any(|working| working.eq_ignore_ascii_case(&status));
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(is_teams && works)
    }
}
#[cfg(test)]
mod tests;
