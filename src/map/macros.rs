//! `record!` and `words!`: one declaration gives the type, its decoder and its JSON Schema, so the three can't drift apart.

/// Declares a mapping with fixed keys: type, decoder and schema.
///
/// `record! { /// docs \n Name "what it is called in messages" { /// docs \n [required "hint"] key: Type, {schema}; … } }`
#[macro_export]
macro_rules! record {
    ($(#[doc = $record_doc:literal])* $name:ident $title:literal {
        $( $(#[doc = $doc:literal])* $([required $hint:literal])? $key:ident : $ty:ty, $extra:tt; )*
    }) => {
        $(#[doc = $record_doc])*
        #[derive(Debug, Clone, Default)]
        #[allow(non_snake_case, reason = "IAM spells its keys in upper case")]
        #[allow(unreachable_pub, reason = "the region map itself is public in `testing`")]
        pub struct $name {
            $( $(#[doc = $doc])* pub $key: $crate::map::decode::Field<$ty>, )*
        }

        impl $name {
            /// What it is called in messages.
            pub(crate) const TITLE: &'static str = $title;
            /// Its keys.
            pub(crate) const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];
        }

        impl $crate::map::decode::Decode for $name {
            const EXPECTS: &'static str = "a mapping";

            fn decode(node: &$crate::document::Node, cx: &mut $crate::map::decode::Cx<'_>) -> Option<Self> {
                let mut record = Self::default();
                let entries = $crate::map::decode::entries::<Self>(node, Self::KEYS, cx)?;
                for entry in entries {
                    match &*entry.key {
                        $( stringify!($key) => {
                            record.$key = $crate::map::decode::with_owner(cx, entry.key_span, stringify!($key), |cx| {
                                $crate::map::decode::field(&entry.value, cx)
                            });
                        } )*
                        _ => $crate::map::decode::unknown_key(entry, Self::TITLE, Self::KEYS, cx),
                    }
                }
                $( $(
                    if !entries.iter().any(|entry| &*entry.key == stringify!($key)) {
                        $crate::map::decode::missing_key(stringify!($key), Self::TITLE, $hint, cx);
                    }
                )? )*
                Some(record)
            }

            fn empty() -> Option<Self> {
                let required = [$( $( (stringify!($key), $hint), )? )* ("", "")];
                (required.len() == 1).then(Self::default)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut properties = serde_json::Map::new();
                #[allow(unused_mut, reason = "not every record has required keys")]
                let mut required: Vec<&str> = Vec::new();
                $(
                    let property = $crate::map::schema::describe_property(
                        generator.subschema_for::<$ty>(),
                        <$ty as $crate::map::decode::Decode>::empty().is_some(),
                        $crate::map::schema::description(&[$($doc),*]),
                        serde_json::json!($extra),
                    );
                    properties.insert(stringify!($key).to_owned(), property.into());
                    $( let _ = $hint; required.push(stringify!($key)); )?
                )*
                let mut schema = schemars::json_schema!({
                    "description": $crate::map::schema::description(&[$($record_doc),*]),
                    "properties": properties,
                    "additionalProperties": false,
                });
                if required.is_empty() {
                    schema.insert("type".to_owned(), serde_json::json!(["object", "null"]));
                } else {
                    schema.insert("type".to_owned(), "object".into());
                    schema.insert("required".to_owned(), serde_json::json!(required));
                }
                schema
            }
        }
    };
}

/// Declares an enumerated word: type, spelling, decoder and schema.
#[macro_export]
macro_rules! words {
    ($(#[doc = $enum_doc:literal])* $name:ident { $( $(#[doc = $doc:literal])* $variant:ident = $word:literal, )* }) => {
        $(#[doc = $enum_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[allow(unreachable_pub, reason = "the region map itself is public in `testing`")]
        pub enum $name {
            $( $(#[doc = $doc])* #[serde(rename = $word)] $variant, )*
        }

        impl $name {
            /// As the map spells it.
            #[allow(dead_code, reason = "not every word is shown")]
            pub(crate) fn word(self) -> &'static str {
                match self {
                    $( $name::$variant => $word, )*
                }
            }
        }

        impl $crate::map::decode::Decode for $name {
            const EXPECTS: &'static str = concat!("one of ", $( "`", $word, "` ", )*);

            fn decode(node: &$crate::document::Node, cx: &mut $crate::map::decode::Cx<'_>) -> Option<Self> {
                let text = String::decode(node, cx)?;
                match text.as_str() {
                    $( $word => Some($name::$variant), )*
                    _ => {
                        $crate::map::decode::unknown_word(&text, node, &[$($word),*], cx);
                        None
                    }
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "enum": [$($word),*],
                    "markdownEnumDescriptions": [$( $crate::map::schema::description(&[$($doc),*]) ),*],
                })
            }
        }
    };
}
