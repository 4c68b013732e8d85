//! What another matching rule would gain and lose, before anything changes.

use actix_web::{HttpResponse, web};
use m365_actors::user_sync::GetDirectory;
use m365_presence::matching::{MatchRule, Preview, Turn};
use serde::Deserialize;
use serde_json::json;

use super::Management;
use crate::http::access::Reader;
use crate::http::problem::Problem;
use crate::view::overview::answered;

/// Users that each list of a preview names at most; `counts` tells how many there are.
const LONGEST_LIST: usize = 1_000;

/// The rule in question; what is left out is as it is at present.
#[derive(Deserialize)]
pub(super) struct Question {
    pbx: Option<String>,
    microsoft: Option<String>,
    strip_domain: Option<String>,
}

impl Question {
    fn rule(&self, present: &MatchRule) -> Result<MatchRule, Problem> {
        let refused = |error: m365_presence::matching::UnknownField| Problem::bad_request(error.to_string());
        let strip_domain = match self.strip_domain.as_deref() {
            None | Some("") => present.strip_domain,
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            Some(other) => {
                return Err(Problem::bad_request(format!(
                    "strip_domain is true or false, not '{other}'"
                )));
            }
        };
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Ok(MatchRule {
            pbx: given(&self.pbx)
                .map_or(Ok(present.pbx), |name| name.parse())
                .map_err(refused)?,
            microsoft: given(&self.microsoft)
                .map_or(Ok(present.microsoft), |name| name.parse())
                .map_err(refused)?,
            strip_domain,
        })
    }
}

/// Compares the present rule with the one in question.
pub(super) async fn preview(
    _reader: Reader,
    management: web::Data<Management>,
    question: web::Query<Question>,
) -> Result<HttpResponse, Problem> {
    let directory = answered(management.posts.user_sync.ask(GetDirectory))
        .await
        .ok_or_else(|| Problem::unavailable("user-sync"))?;
    let Some(directory) = directory else {
        question.rule(&MatchRule::default())?;
        return Err(Problem::not_known_yet());
    };
    let rule = question.rule(directory.rule())?;
    let license = management.terms.get().license.clone();
    let previewed = web::block(move || directory.preview(&directory.under(&rule), &license)).await;
    let preview = previewed.map_err(|_pool_is_gone| Problem::unavailable("user-sync"))?;
    Ok(HttpResponse::Ok().json(told(&rule, preview)))
}

fn told(rule: &MatchRule, mut preview: Preview) -> serde_json::Value {
    let counts = json!({
        "gains": preview.gains.len(),
        "losses": preview.losses.len(),
        "ambiguities": preview.ambiguities.len(),
        "near_misses": preview.near_misses.len(),
    });
    let lists: [&mut Vec<Turn>; 4] = [
        &mut preview.gains,
        &mut preview.losses,
        &mut preview.ambiguities,
        &mut preview.near_misses,
    ];
    lists.into_iter().for_each(|list| list.truncate(LONGEST_LIST));
    json!({
        "rule": {"pbx": rule.pbx, "microsoft": rule.microsoft, "strip_domain": rule.strip_domain},
        "counts": counts,
        "now": preview.now,
        "then": preview.then,
        "unchanged": preview.unchanged,
        "gains": preview.gains,
        "losses": preview.losses,
        "ambiguities": preview.ambiguities,
        "near_misses": preview.near_misses,
    })
}
