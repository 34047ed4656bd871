#~ LM1301

module "logs" {
  source = "./logs"
  suffix = "logs"
}

resource "aws_s3_bucket" "web" {
  bucket = "acme-nested-web"
}

resource "aws_s3_bucket_logging" "web" {
  bucket        = aws_s3_bucket.web.id
  target_bucket = module.logs.name
  target_prefix = "s3/"
}
