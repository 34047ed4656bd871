# One plan with every case: each module is one, and says in `#~` lines what `check` must find in it.
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.37, < 7.0"
    }
  }
}

variable "home" {
  default = "eu-west-1"
}

variable "account" {
  default = "111122223333"
}

provider "aws" {
  region              = var.home
  allowed_account_ids = ["111122223333"]
}

provider "aws" {
  alias               = "west"
  region              = "us-west-2"
  allowed_account_ids = ["111122223333"]
}

provider "aws" {
  alias  = "archive"
  region = var.home
  assume_role {
    role_arn = "arn:aws:iam::444455556666:role/deployer"
  }
}

module "right" {
  source = "./right"
}

module "region" {
  source = "./region"
}

module "alias" {
  source = "./alias"
  providers = {
    aws      = aws
    aws.west = aws.west
  }
}

module "inherited" {
  source = "./inherited"
  providers = {
    aws = aws.west
  }
}

module "account" {
  source = "./account"
  providers = {
    aws         = aws
    aws.archive = aws.archive
  }
}

module "setting" {
  source = "./setting"
}

module "self" {
  source = "./self"
}

module "document" {
  source = "./document"
}

module "missing" {
  source = "./missing"
}

module "kms" {
  source = "./kms"
}

module "lock" {
  source = "./lock"
}

module "foreach" {
  source = "./foreach"
}

module "count" {
  source = "./count"
}

module "nested" {
  source = "./nested"
}

module "literal" {
  source = "./literal"
}

module "variable" {
  source = "./variable"
  target = "acme-logs-444455556666-eu-west-1-an"
}

module "arn" {
  source = "./arn"
}

module "trail" {
  source = "./trail"
}

module "trail_arn" {
  source = "./trail_arn"
}

module "trail_order" {
  source = "./trail_order"
}

module "trail_output" {
  source = "./trail_output"
}
