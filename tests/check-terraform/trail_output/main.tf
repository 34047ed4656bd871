#~ ok

module "logs" {
  source = "./logs"
}

resource "aws_cloudtrail" "audit" {
  name           = "audit"
  s3_bucket_name = module.logs.bucket
}
