//! What another matching rule would gain and lose, before anything changes.

use actix_web::{HttpResponse, web};
use m365_actors::user_sync::GetDirectory;
use m365_presence::matching::{MatchRule, MicrosoftField, PbxField, Preview, Turn};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Management;
use super::parameters::{flag_or_empty, read_flag, word_or_empty};
use super::refusals::{NotKnownYet, NotUnderstood, Unauthorized};
use crate::http::access::Reader;
use crate::http::problem::Problem;
use crate::view::overview::answered;

/// Users that each list of a preview names at most; `counts` tells how many there are.
const LONGEST_LIST: usize = 1_000;

/// The rule in question; what is left out is as it is at present.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Question {
    /// The field of the PBX.
    #[param(schema_with = word_or_empty::<PbxField>, required = false, example = "cn")]
    pbx: Option<String>,
    /// The field of Microsoft.
    #[param(schema_with = word_or_empty::<MicrosoftField>, required = false, example = "mail")]
    microsoft: Option<String>,
    /// Whether `@` and what follows is removed from the Microsoft value.
    #[param(schema_with = flag_or_empty, required = false)]
    strip_domain: Option<String>,
}

/// How long the lists of a preview are in truth.
#[derive(Serialize, ToSchema)]
pub(super) struct ListLengths {
    gains: usize,
    losses: usize,
    ambiguities: usize,
    near_misses: usize,
}

/// What the rule in question would gain and lose.
#[derive(Serialize, ToSchema)]
pub(super) struct Comparison {
    /// The rule in question, as a whole.
    rule: MatchRule,
    /// How long the lists are in truth; they name 1000 users each at most.
    counts: ListLengths,
    #[serde(flatten)]
    preview: Preview,
}

impl Question {
    fn rule(&self, present: &MatchRule) -> Result<MatchRule, Problem> {
        let refused = |error: m365_presence::matching::UnknownField| Problem::bad_request(error.to_string());
        let strip_domain = read_flag("strip_domain", self.strip_domain.as_deref())?;
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Ok(MatchRule {
            pbx: given(&self.pbx)
                .map_or(Ok(present.pbx), |name| name.parse())
                .map_err(refused)?,
            microsoft: given(&self.microsoft)
                .map_or(Ok(present.microsoft), |name| name.parse())
                .map_err(refused)?,
            strip_domain: strip_domain.unwrap_or(present.strip_domain),
        })
    }
}

/// What another matching rule would gain and lose.
///
/// What is left out is as it is at present. Nothing changes.
#[utoipa::path(
    get,
    path = "/api/v1/matching/preview",
    tag = "settings",
    operation_id = "matching_preview",
    params(Question),
    responses(
        (status = 200, description = "The present rule and the one in question, compared", body = Comparison),
        NotUnderstood,
        Unauthorized,
        NotKnownYet,
    )
)]
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
    Ok(HttpResponse::Ok().json(told(rule, preview)))
}

fn told(rule: MatchRule, mut preview: Preview) -> Comparison {
    let counts = ListLengths {
        gains: preview.gains.len(),
        losses: preview.losses.len(),
        ambiguities: preview.ambiguities.len(),
        near_misses: preview.near_misses.len(),
    };
    let lists: [&mut Vec<Turn>; 4] = [
        &mut preview.gains,
        &mut preview.losses,
        &mut preview.ambiguities,
        &mut preview.near_misses,
    ];
    lists.into_iter().for_each(|list| list.truncate(LONGEST_LIST));
    Comparison {
        rule,
        counts,
        preview,
    }
}
