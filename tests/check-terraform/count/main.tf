#~ ok
#~ ok

resource "aws_s3_bucket" "logs" {
  count         = 1
  bucket_prefix = "acme-count-logs"
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs[0].id
  policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }]
  })
}

resource "aws_s3_bucket" "web" {
  count         = 2
  bucket_prefix = "acme-count-web"
}

resource "aws_s3_bucket_logging" "web" {
  count         = 2
  bucket        = aws_s3_bucket.web[count.index].id
  target_bucket = aws_s3_bucket.logs[0].id
  target_prefix = "s3/"
}
