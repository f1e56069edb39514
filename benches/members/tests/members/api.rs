//! The members of the public interface, as the sources have them.
//!
//! What says `pub` is public (the lint `unreachable_pub` sees to it): functions, methods of types,
//! and what public traits have. Of the three traits that say what can be iterated over and what can
//! be made of it, each implementation is a member.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{ImplItem, Item, ItemImpl, TraitItem, Type, Visibility};

/// Traits of which each implementation is a member.
const IMPLEMENTED: [&str; 3] = ["IntoParallelIterator", "FromParallelIterator", "ParallelExtend"];

/// What the macros that implement these traits are invoked with: names of members for each line.
const MACROS: [(&str, Line); 5] = [
    ("through_a_vec", |line| {
        let source: Type = line.parse()?;
        Ok(vec![format!("IntoParallelIterator for {}", plain(&source))])
    }),
    ("extended_in_sequence", |line| {
        let [collection, item] = collection(line)?;
        let both = ["FromParallelIterator", "ParallelExtend"];
        Ok(both.map(|made| format!("{made}<{item}> for {collection}")).to_vec())
    }),
    ("made_of_a_vec", |line| {
        let [collection, item] = collection(line)?;
        Ok(vec![format!("FromParallelIterator<{item}> for {collection}")])
    }),
    ("texts", |line| {
        let [text, item] = collection(line)?;
        let both = ["FromParallelIterator", "ParallelExtend"];
        Ok(both.map(|made| format!("{made}<{item}> for {text}")).to_vec())
    }),
    ("tuples", |_| Ok(["", "&", "&mut "].map(|by| format!("IntoParallelIterator for {by}tuples")).to_vec())),
];

/// Reads what is left of a line after its generics.
type Line = fn(ParseStream<'_>) -> syn::Result<Vec<String>>;

fn collection(line: ParseStream<'_>) -> syn::Result<[String; 2]> {
    let collection: Type = line.parse()?;
    line.parse::<syn::Token![,]>()?;
    Ok([plain(&collection), plain(&line.parse::<Type>()?)])
}

/// All members of taskel.
pub(crate) fn members() -> BTreeSet<String> {
    let sources = walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtime/src"));
    let paths = sources.into_iter().map(|entry| entry.expect("readable sources").into_path());
    let published = paths.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".rs") && !name.ends_with("_models.rs") && !name.ends_with("tests.rs")
    });
    published.flat_map(|path| members_of(&std::fs::read_to_string(path).expect("a file in UTF-8"))).collect()
}

/// All members of a source.
///
/// # Panics
///
/// Where a macro implements one of the three traits, of which it is not known what its invocations
/// mean.
pub(crate) fn members_of(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    items(&syn::parse_file(source).expect("Rust").items, &mut found);
    found
}

fn items(items: &[Item], found: &mut BTreeSet<String>) {
    let public = |vis: &Visibility| matches!(vis, Visibility::Public(_));
    for item in items {
        match item {
            Item::Fn(function) if public(&function.vis) => {
                found.insert(function.sig.ident.to_string());
            }
            Item::Trait(of) if public(&of.vis) => {
                let methods = of.items.iter().filter_map(|item| match item {
                    TraitItem::Fn(method) => Some(format!("{}::{}", of.ident, method.sig.ident)),
                    _ => None,
                });
                found.extend(methods);
            }
            Item::Impl(of) => implementation(of, found),
            Item::Mod(module) if public(&module.vis) => {
                items_of(module, found);
            }
            Item::Macro(of) => match &of.ident {
                Some(name) => defined(&name.to_string(), of.mac.tokens.clone()),
                None => invoked(&of.mac, found),
            },
            _ => (),
        }
    }
}

fn items_of(module: &syn::ItemMod, found: &mut BTreeSet<String>) {
    if let Some((_, content)) = &module.content {
        items(content, found);
    }
}

fn implementation(of: &ItemImpl, found: &mut BTreeSet<String>) {
    let Some((_, made, _)) = &of.trait_ else {
        let methods = of.items.iter().filter_map(|item| match item {
            ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => Some(&method.sig.ident),
            _ => None,
        });
        let owner = plain(&of.self_ty);
        let owner = owner.split('<').next().unwrap_or_default();
        found.extend(methods.map(|method| format!("{owner}::{method}")));
        return;
    };
    let made = plain(made);
    if IMPLEMENTED.contains(&made.split('<').next().unwrap_or_default()) {
        found.insert(format!("{made} for {}", plain(&of.self_ty)));
    }
}

/// A macro that implements one of the traits must be known.
fn defined(name: &str, tokens: TokenStream) {
    let text = plain(&tokens);
    // The one behind `tuples`.
    let known = name == "tuple" || MACROS.iter().any(|(known, _)| *known == name);
    let implements = IMPLEMENTED
        .iter()
        .any(|made| text.contains(&format!("> {made}")) || text.contains(&format!(">{made}")));
    assert!(known || !implements, "tell MACROS, in {}, what the lines of {name}! stand for", file!());
}

fn invoked(mac: &syn::Macro, found: &mut BTreeSet<String>) {
    let Some((_, line)) = MACROS.iter().find(|(name, _)| mac.path.is_ident(name)) else { return };
    let tokens: Vec<TokenTree> = mac.tokens.clone().into_iter().collect();
    let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    for tokens in tokens.split(is_end).filter(|tokens| !tokens.is_empty()) {
        let parser = |input: ParseStream<'_>| {
            input.parse::<proc_macro2::Group>().ok();
            let members = line(input)?;
            input.parse::<TokenStream>()?;
            Ok(members)
        };
        let members = parser.parse2(tokens.iter().cloned().collect());
        found.extend(members.unwrap_or_else(|error| panic!("{error}: {}", plain(&mac.tokens))));
    }
}

/// As it is written, without lifetimes.
fn plain(tokens: &impl ToTokens) -> String {
    let mut text = String::new();
    flatten(tokens.to_token_stream(), &mut text);
    text.replace("<,", "<").replace("< ", "<").replace(",>", ">")
}

fn flatten(tokens: TokenStream, text: &mut String) {
    let mut lifetime = false;
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '\'' => lifetime = true,
            TokenTree::Ident(_) if lifetime => lifetime = false,
            TokenTree::Punct(punct) => {
                text.push(punct.as_char());
                if punct.as_char() == ',' {
                    text.push(' ');
                }
            }
            TokenTree::Group(group) => {
                let [open, close] = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ["(", ")"],
                    proc_macro2::Delimiter::Bracket => ["[", "]"],
                    _ => ["", ""],
                };
                text.push_str(open);
                flatten(group.stream(), text);
                text.push_str(close);
            }
            word => {
                if text.ends_with(|c: char| c.is_alphanumeric()) {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
                if text.ends_with("mut") {
                    text.push(' ');
                }
            }
        }
    }
}
