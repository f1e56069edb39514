//! Collections of what `flat_map` yields.

use std::collections::{BTreeSet, HashSet};

use taskel::prelude::*;

use crate::shapes::text;

#[test]
fn collections_are_those_of_the_standard_library() {
    same!(
        "String",
        |outer, inner| outer().flat_map(inner).map(text).collect::<String>(),
        outer().flat_map(inner).map(text).collect::<String>()
    );
    same!(
        "Option",
        |outer, inner| outer()
            .flat_map(inner)
            .map(|x| (x % 1000 < 450).then_some(x))
            .collect::<Option<Vec<_>>>(),
        outer().flat_map(inner).map(|x| (x % 1000 < 450).then_some(x)).collect::<Option<Vec<_>>>()
    );
    same!(
        "Result",
        |outer, inner| outer()
            .flat_map(inner)
            .map(|x| if x % 1000 < 450 { Ok(x) } else { Err(()) })
            .collect::<Result<Vec<_>, _>>(),
        outer()
            .flat_map(inner)
            .map(|x| if x % 1000 < 450 { Ok(x) } else { Err(()) })
            .collect::<Result<Vec<_>, _>>()
    );
    same!(
        "sets",
        |outer, inner| (
            outer().flat_map(inner).collect::<BTreeSet<_>>(),
            outer().flat_map(inner).collect::<HashSet<_>>()
        ),
        (outer().flat_map(inner).collect::<BTreeSet<_>>(), outer().flat_map(inner).collect::<HashSet<_>>())
    );
    same!(
        "unzip",
        |outer, inner| outer().flat_map(inner).map(|x| (x, text(x))).unzip::<_, _, Vec<_>, Vec<_>>(),
        outer().flat_map(inner).map(|x| (x, text(x))).unzip::<_, _, Vec<_>, Vec<_>>()
    );
    same!(
        "partition",
        |outer, inner| outer().flat_map(inner).partition::<Vec<_>, Vec<_>, _>(|x| x % 3 == 0),
        outer().flat_map(inner).partition::<Vec<_>, _>(|x| x % 3 == 0)
    );
    same!(
        "vec list",
        |outer, inner| outer().flat_map(inner).collect_vec_list().into_iter().flatten().collect::<Vec<_>>(),
        outer().flat_map(inner).collect::<Vec<_>>()
    );
    same!(
        "extend",
        |outer, inner| {
            let mut all = vec![7];
            all.par_extend(outer().flat_map(inner));
            all
        },
        [7].into_iter().chain(outer().flat_map(inner)).collect::<Vec<_>>()
    );
}
