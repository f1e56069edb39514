//! The derive macro `#[derive(ShmPod)]`. The crate `shm-lock` exports and documents it.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Index, Member, Result, parse_macro_input, parse_quote};

/// See the trait `shm_lock::ShmPod`.
#[proc_macro_derive(ShmPod)]
pub fn derive_shm_pod(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(mut input: DeriveInput) -> Result<proc_macro2::TokenStream> {
    check_repr(&input)?;
    let fields = match &input.data {
        Data::Struct(data) => data.fields.clone(),
        _ => {
            return Err(Error::new_spanned(
                &input.ident,
                "only a structure may have any bytes; use numbers for its variants",
            ));
        }
    };
    let name = &input.ident;
    let members = members(&fields);
    let types: Vec<_> = fields.iter().map(|field| field.ty.clone()).collect();
    let names = members.iter().map(|member| match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    });
    for ty in &types {
        input.generics.make_where_clause().predicates.push(parse_quote!(#ty: ::shm_lock::ShmPod));
    }
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    Ok(quote! {
        // SAFETY: a structure whose layout is the same in all programs (`repr`), made of fields
        // each of which may have any bytes and holds nothing that belongs to a process: the bounds
        // say so.
        unsafe impl #impl_generics ::shm_lock::ShmPod for #name #type_generics #where_clause {
            fn describe(text: &mut ::std::string::String) {
                ::shm_lock::describe_fields(
                    text,
                    ::std::stringify!(#name),
                    &[#((
                        #names,
                        ::std::mem::offset_of!(Self, #members),
                        <#types as ::shm_lock::ShmPod>::describe,
                    )),*],
                );
            }
        }
    })
}

/// The compiler may lay out a structure as it likes, and as it likes today, unless it is told.
fn check_repr(input: &DeriveInput) -> Result<()> {
    let mut is_fixed = false;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        attribute.parse_nested_meta(|meta| {
            is_fixed |= meta.path.is_ident("C") || meta.path.is_ident("transparent");
            if meta.input.peek(syn::token::Paren) {
                let arguments;
                syn::parenthesized!(arguments in meta.input);
                arguments.parse::<proc_macro2::TokenStream>()?;
            }
            Ok(())
        })?;
    }
    let told = "its layout must be the same in all programs: add #[repr(C)]";
    is_fixed.then_some(()).ok_or_else(|| Error::new_spanned(&input.ident, told))
}

fn members(fields: &Fields) -> Vec<Member> {
    let member = |(i, field): (usize, &syn::Field)| match &field.ident {
        Some(name) => Member::Named(name.clone()),
        None => Member::Unnamed(Index::from(i)),
    };
    fields.iter().enumerate().map(member).collect()
}
