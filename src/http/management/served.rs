//! A route as it is served: its path, the methods that it takes, and who answers each.
//!
//! The same list registers the routes, makes the `Allow` of a refused method, and is compared with the description of
//! the API.

use actix_web::guard;
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route, web};

use crate::http::problem::Problem;

/// A route.
pub(super) struct Served {
    pub(super) path: &'static str,
    pub(super) methods: Vec<Method>,
    routes: Vec<Route>,
}

impl Served {
    /// A route that takes nothing yet.
    pub(super) fn at(path: &'static str) -> Self {
        Self {
            path,
            methods: Vec::new(),
            routes: Vec::new(),
        }
    }

    /// What is read by GET is read by HEAD too.
    pub(super) fn read<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.extend([Method::GET, Method::HEAD]);
        let reads = guard::Any(guard::Get()).or(guard::Head());
        self.routes.push(web::route().guard(reads).to(handler));
        self
    }

    /// What another method does.
    pub(super) fn on<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.push(method.clone());
        self.routes.push(web::method(method).to(handler));
        self
    }

    /// The route for the server; every other method is answered 405.
    pub(super) fn resource(self) -> Resource {
        let methods: Vec<&str> = self.methods.iter().map(Method::as_str).collect();
        let allowed = methods.join(", ");
        let resource = web::resource(self.path);
        let resource = self.routes.into_iter().fold(resource, Resource::route);
        resource.default_service(web::to(move |request: HttpRequest| {
            let refused = wrong_method(&request, &allowed);
            async move { refused }
        }))
    }
}

/// Makes a route that is only read.
pub(super) fn readable<F, Args>(path: &'static str, handler: F) -> Served
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Served::at(path).read(handler)
}

/// Makes a route that takes an order.
pub(super) fn orderable<F, Args>(path: &'static str, handler: F) -> Served
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Served::at(path).on(Method::POST, handler)
}

fn wrong_method(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let detail = format!("{} does not take {}", request.path(), request.method());
    Problem::wrong_method(detail, allowed).respond()
}
