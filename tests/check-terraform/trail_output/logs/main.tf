resource "aws_s3_bucket" "trail" {
  bucket = "acme-output-logs"
  region = "us-west-2"
}

resource "aws_s3_bucket_policy" "trail" {
  bucket = aws_s3_bucket.trail.id
  region = "us-west-2"
  policy = jsonencode({
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "cloudtrail.amazonaws.com" }
      Action    = ["s3:GetBucketAcl", "s3:PutObject"]
      Resource  = ["arn:aws:s3:::acme-output-logs", "arn:aws:s3:::acme-output-logs/AWSLogs/111122223333/*"]
      Condition = { StringEquals = { "aws:SourceArn" = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit" } }
    }]
  })
}

output "bucket" {
  value      = aws_s3_bucket.trail.id
  depends_on = [aws_s3_bucket_policy.trail]
}
