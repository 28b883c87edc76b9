//! The macro that makes views, and what the reference page says of them, from one table.

macro_rules! views {
    ($(#[doc = $about:literal] $name:ident {
        $(#[doc = $help:literal] $(#[$schema:meta])* $field:ident: $kind:ty,)+
    })+) => {
        $(
            #[doc = $about]
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
            pub struct $name {
                $(#[doc = $help] $(#[$schema])* pub $field: $kind,)+
            }
        )+

        /// Every view of this file, in the order of the page.
        pub(super) const PAGES: &[ViewPage] = &[$(ViewPage {
            name: stringify!($name),
            about: $about,
            fields: &[$((stringify!($field), stringify!($kind), $help)),+],
        }),+];
    };
}
