#~ LM1101 aws_s3_bucket_logging.web["west"]
#~ ok

locals {
  regions = { home = "eu-west-1", west = "us-west-2" }
}

resource "aws_s3_bucket" "logs" {
  bucket = "acme-foreach-logs"
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::acme-foreach-logs/*"
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }]
  })
}

resource "aws_s3_bucket" "web" {
  for_each = local.regions
  bucket   = "acme-foreach-${each.key}"
  region   = each.value
}

resource "aws_s3_bucket_logging" "web" {
  for_each      = local.regions
  bucket        = aws_s3_bucket.web[each.key].id
  region        = each.value
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "s3/"
}
