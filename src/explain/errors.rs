//! AWS's errors about log delivery: their codes, their messages, and a page for each cause.
//!
//! Takes text as it was pasted (Terraform, CLI, boto3, Java, XML, CloudFormation events, logs); gives the causes in it, in
//! order. A code is known in each of its spellings and broken over two lines; a message is known without its code.
//! Sources stand on the pages.

/// A cause, for which AWS has one or more codes and messages.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    /// Codes on the wire and in documents. Several causes may share one.
    pub codes: &'static [&'static str],
    /// Texts that only this cause's messages have.
    pub phrases: &'static [&'static str],
    /// What mends it where a region map describes the buckets.
    pub mend: Mend,
    /// Its page, Markdown.
    pub page: &'static str,
}

/// What mends an error where a region map describes the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mend {
    /// Apply what is generated for the account and Region of the source or trail.
    Apply,
    /// Apply the account that owns the log bucket first, then the writer's.
    OwnerFirst,
    /// Change the map; `validate` says where.
    Map,
    /// Nothing that a map could say.
    Elsewhere,
}

/// A cause found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The cause.
    pub error: &'static AwsError,
    /// First byte in the text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

macro_rules! causes {
    ($($file:literal: [$($code:literal),*] [$($phrase:literal),*] $mend:ident;)*) => {
        /// All causes. Where several share a code, the first one is meant when no message tells them apart.
        pub(crate) static ALL: &[AwsError] = &[$(AwsError {
            codes: &[$($code),*],
            phrases: &[$($phrase),*],
            mend: Mend::$mend,
            page: include_str!(concat!("errors/", $file, ".md")),
        }),*];
    };
}

causes! {
    "cross-location-logging": ["CrossLocationLoggingProhibitted", "CrossLocationLoggingProhibited"]
        ["Cross S3 location logging not allowed", "Cross-Region logging is not allowed"] Apply;
    "target-invalid": ["InvalidTargetBucketForLogging"] ["either does not exist, is not owned by you, or does not have the appropriate grants"] Apply;
    "target-owner": ["InvalidTargetBucketForLogging"] ["owner for the bucket to be logged and the target bucket must be the same"] Apply;
    "target-missing": ["InvalidTargetBucketForLogging"] ["target bucket for logging does not exist"] Apply;
    "target-grant": ["InvalidTargetBucketForLogging"] ["log-delivery group WRITE and READ_ACP"] Apply;
    "acl-disabled": ["AccessControlListNotSupported"] ["The bucket does not allow ACLs"] Apply;
    "acl-ownership": ["InvalidBucketAclWithObjectOwnership"] ["Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced"] Apply;
    "malformed-policy": ["MalformedPolicy"] ["Invalid principal in policy", "Policy has invalid resource", "Policies must be valid JSON"] Map;
    "policy-too-large": [] ["Policy exceeds the maximum allowed document size"] Map;
    "no-such-bucket": ["NoSuchBucket"] ["The specified bucket does not exist"] Map;
    "access-denied": ["AccessDenied", "AccessDeniedException"] [] Elsewhere;
    "organization-policy": ["AccessDenied", "AccessDeniedException"]
        ["explicit deny in a service control policy", "explicit deny in a resource control policy"] Elsewhere;
    "throttling": ["SlowDown", "ThrottlingException", "Throttling", "TooManyRequestsException"]
        ["Rate exceeded", "Please reduce your request rate"] Elsewhere;
    "credentials": ["ExpiredToken", "ExpiredTokenException", "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"]
        ["The security token included in the request is", "The provided token has expired", "The provided token is malformed or otherwise invalid"] Elsewhere;
    "region-disabled": ["OptInRequired"] ["needs a subscription for the service"] Map;
    "wrong-endpoint": ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"]
        ["must be addressed using the specified endpoint"] Apply;
    "location-constraint": ["InvalidLocationConstraint"] ["The specified location-constraint is not valid"] Apply;
    "operation-aborted": ["OperationAborted"] ["A conflicting conditional operation is currently in progress against this resource"] Elsewhere;
    "bucket-exists": ["BucketAlreadyExists", "BucketAlreadyOwnedByYou"] ["The requested bucket name is not available"] Map;
    "bucket-name": ["InvalidBucketName"] ["The specified bucket is not valid"] Map;
    "namespace-header": ["MissingNamespaceHeader"] [] Map;
    "bucket-not-empty": ["BucketNotEmpty"] ["The bucket you tried to delete is not empty"] Elsewhere;
    "bucket-owner-id": ["InvalidBucketOwnerAWSAccountID"] [] Map;
    "logging-key": ["NoLoggingStatusForKey"] [] Elsewhere;
    "malformed-xml": ["MalformedXML"] ["did not validate against our published schema"] Apply;
    "trail-policy": ["InsufficientS3BucketPolicyException"] ["Incorrect S3 bucket policy is detected for bucket"] OwnerFirst;
    "trail-bucket-missing": ["S3BucketDoesNotExistException"] [] OwnerFirst;
    "trail-bucket-name": ["InvalidS3BucketNameException"] [] Map;
    "trail-prefix": ["InvalidS3PrefixException"] [] Map;
    "trail-name": ["InvalidTrailNameException"] [] Map;
    "trail-exists": ["TrailAlreadyExistsException"] [] Apply;
    "trail-not-found": ["TrailNotFoundException"] [] Apply;
    "trail-quota": ["MaximumNumberOfTrailsExceededException"] [] Map;
    "trail-home-region": ["InvalidHomeRegionException"] [] Apply;
    "trail-encryption": ["InsufficientEncryptionPolicyException"] [] OwnerFirst;
    "trail-key": ["KmsKeyNotFoundException", "KmsException", "InvalidKmsKeyIdException"] [] Map;
    "trail-topic": ["InsufficientSnsTopicPolicyException", "InvalidSnsTopicNameException"] [] Elsewhere;
    "trail-organization": ["NotOrganizationMasterAccountException", "CloudTrailAccessNotEnabledException", "OrganizationNotInAllFeaturesModeException"] [] Apply;
    "trail-parameters": ["InvalidParameterCombinationException"] [] Apply;
    "trail-conflict": ["ConflictException"] [] Elsewhere;
    "trail-delivery": [] ["LatestDeliveryError", "LatestDigestDeliveryError"] OwnerFirst;
    "trail-service-role": ["InsufficientDependencyServiceAccessPermissionException"]
        ["cannot create resources for your organization because access to one or more required APIs has been denied"] Elsewhere;
    "trail-log-group": ["InvalidCloudWatchLogsLogGroupArnException", "InvalidCloudWatchLogsRoleArnException", "CloudWatchLogsDeliveryUnavailableException"]
        ["Access denied. Check the permissions for your role"] Elsewhere;
    "vended-delivery": ["ConflictException", "ValidationException"] ["PutDeliverySource", "PutDeliveryDestination", "CreateDelivery"] Elsewhere;
    "cloudfront-acl": [] ["specified for CloudFront logs does not enable ACL access"] Elsewhere;
    "stack-rolled-back": ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"]
        ["is in ROLLBACK_COMPLETE state and can not be updated", "is in ROLLBACK_FAILED state and can not be updated"] Elsewhere;
    "stack-resource-exists": [] ["HandlerErrorCode: AlreadyExists", "already exists in stack", "The bucket policy already exists on bucket",
            "AWS::EarlyValidation::ResourceExistenceCheck", "NAME_CONFLICT_VALIDATION"] Map;
    "stack-hook": [] ["The following hook(s) failed", "HandlerErrorCode: NonCompliant"] Elsewhere;
    "expected-grantee": [] ["email grantee"] Apply;
}

/// A match of one needle: which causes it may mean.
struct Match {
    start: usize,
    end: usize,
    causes: Vec<&'static AwsError>,
    is_code: bool,
    /// Code and message have been found.
    whole: bool,
}

/// Codes that every service uses. They count where the text speaks of buckets or trails, or says nothing else.
const GENERIC: [&str; 13] = [
    "AccessDenied",
    "AccessDeniedException",
    "ConflictException",
    "ValidationException",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidParameterCombinationException",
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
];

/// Code and message of one error stand no farther apart than this, in bytes: an XML answer with its ids lies between.
const NEAR: usize = 600;

/// The causes in a text, in order; a code and its message are one.
pub(crate) fn find(text: &str) -> Vec<Hit> {
    let squeezed = Squeezed::of(text);
    let mut matches: Vec<Match> = Vec::new();
    let codes: std::collections::BTreeSet<&str> = ALL.iter().flat_map(|error| error.codes).copied().collect();
    let about_delivery = ["s3", "bucket", "cloudtrail", "trail", "LatestDeliveryError", "LatestDigestDeliveryError"]
        .iter()
        .any(|word| squeezed.word(word).next().is_some());
    for code in codes {
        if GENERIC.contains(&code) && !about_delivery && text.trim() != code {
            continue;
        }
        let causes: Vec<&AwsError> = ALL.iter().filter(|error| error.codes.contains(&code)).collect();
        matches.extend(squeezed.word(code).map(|(start, end)| Match {
            start,
            end,
            causes: causes.clone(),
            is_code: true,
            whole: false,
        }));
    }
    for error in ALL {
        for phrase in error.phrases {
            // `LatestDeliveryError` is in every answer, and empty in those of trails that deliver
            let says = |(_, end): &(usize, usize)| {
                let value = text[*end..].trim_start_matches(['"', '\'', ':', '=', ' ', '\t']);
                !phrase.starts_with("Latest") || value.is_empty() || value.starts_with(|c: char| c.is_alphanumeric())
            };
            matches.extend(squeezed.phrase(phrase).filter(says).map(|(start, end)| Match {
                start,
                end,
                causes: vec![error],
                is_code: false,
                whole: false,
            }));
        }
    }
    matches.sort_by_key(|found| (found.start, usize::MAX - found.end));
    let mut hits: Vec<Match> = Vec::new();
    for found in matches {
        // a phrase within a longer one says less; a code and a message next to each other are one error
        if let Some(last) = hits.last_mut() {
            if found.end <= last.end {
                continue;
            }
            let shared: Vec<_> = last.causes.iter().copied().filter(|cause| found.causes.contains(cause)).collect();
            if !shared.is_empty() && !last.whole && found.is_code != last.is_code && found.start < last.end + NEAR {
                *last = Match { causes: shared, end: found.end, whole: true, ..*last };
                continue;
            }
        }
        hits.push(found);
    }
    hits.into_iter().filter_map(|found| Some(Hit { error: found.causes.first()?, start: found.start, end: found.end })).collect()
}

/// A text without what terminals and loggers put into it: white space, frames, colours. Knows where each letter stood.
pub(crate) struct Squeezed {
    letters: String,
    /// Byte of each byte of `letters` in the text.
    origin: Vec<usize>,
    /// Does a line break lie before this byte of `letters`? A space does not: `Access Denied` is no code.
    spaced: Vec<bool>,
}

impl Squeezed {
    /// Squeezes a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut squeezed = Squeezed { letters: String::new(), origin: Vec::new(), spaced: Vec::new() };
        let mut characters = text.char_indices().peekable();
        let (mut gap, mut broken) = (false, false);
        while let Some((at, c)) = characters.next() {
            if c == '\u{1b}' {
                // a colour: `ESC [ … letter`
                characters.by_ref().take_while(|(_, c)| !c.is_ascii_alphabetic()).for_each(drop);
                continue;
            }
            if c.is_whitespace() || ('\u{2500}'..='\u{257f}').contains(&c) || c == '\u{200b}' {
                gap = true;
                broken |= c == '\n';
                continue;
            }
            let start = squeezed.letters.len();
            squeezed.letters.push(c.to_ascii_lowercase());
            for _ in start..squeezed.letters.len() {
                squeezed.origin.push(at);
                squeezed.spaced.push(gap && !broken);
            }
            (gap, broken) = (false, false);
        }
        squeezed
    }

    /// Places of a word with nothing of a word on either side, whole or broken by line breaks.
    pub(crate) fn word<'s>(&'s self, word: &str) -> impl Iterator<Item = (usize, usize)> + use<'s> {
        let needle = word.to_ascii_lowercase();
        let of_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        self.places(needle)
            .filter(move |(from, to)| {
                let bytes = self.letters.as_bytes();
                let before = *from > 0 && of_word(bytes.get(from - 1)) && self.joined(*from);
                let after = of_word(bytes.get(*to)) && self.joined(*to);
                !before && !after && !self.spaced[from + 1..*to].contains(&true)
            })
            .map(|(from, to)| self.back(from, to))
    }

    /// Are the bytes before and at this one neighbours in the text?
    fn joined(&self, at: usize) -> bool {
        at > 0 && self.origin[at] == self.origin[at - 1] + 1
    }

    /// Places of a phrase, whatever white space it has.
    fn phrase<'s>(&'s self, phrase: &str) -> impl Iterator<Item = (usize, usize)> + use<'s> {
        let needle: String = phrase.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
        self.places(needle).map(|(from, to)| self.back(from, to))
    }

    fn places(&self, needle: String) -> impl Iterator<Item = (usize, usize)> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let at = self.letters.get(from..)?.find(&needle)? + from;
            from = at + needle.len().max(1);
            Some((at, at + needle.len()))
        })
    }

    fn back(&self, from: usize, to: usize) -> (usize, usize) {
        (self.origin[from], self.origin[to - 1] + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(text: &str) -> Vec<&'static str> {
        find(text).iter().map(|hit| hit.error.page.lines().next().unwrap_or_default()).collect()
    }

    #[test]
    fn each_code_alone_finds_its_cause() {
        for error in ALL {
            for code in error.codes {
                let found = find(code);
                assert_eq!(found.len(), 1, "{code}");
                assert!(found[0].error.codes.contains(code), "{code}");
            }
            for phrase in error.phrases {
                assert_eq!(find(phrase).iter().map(|hit| hit.error).collect::<Vec<_>>(), [error], "{phrase}");
            }
            assert!(!error.codes.is_empty() || !error.phrases.is_empty());
        }
    }

    #[test]
    fn a_code_is_a_whole_word_and_may_be_broken_by_a_line() {
        assert_eq!(pages("CrossLocationLogging\n│   Prohibitted: x"), ["# CrossLocationLoggingProhibitted"]);
        assert_eq!(pages("\u{1b}[31mNoSuch\u{1b}[0mBucket"), ["# NoSuchBucket"]);
        for other in ["NoSuchBucketPolicy", "access denied", "MyAccessDenied", "the bucket is fine", ""] {
            assert_eq!(find(other), [], "{other}");
        }
    }
}
