# A formula for Homebrew, for a tap; the release fills it in.
class AwsLogmap < Formula
  desc "S3 access logging and CloudTrail delivery from one reviewed region map"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@URL_MAC_ARM@"
      sha256 "@SHA_MAC_ARM@"
    end
    on_intel do
      url "@URL_MAC_INTEL@"
      sha256 "@SHA_MAC_INTEL@"
    end
  end

  on_linux do
    on_arm do
      url "@URL_LINUX_ARM@"
      sha256 "@SHA_LINUX_ARM@"
    end
    on_intel do
      url "@URL_LINUX_INTEL@"
      sha256 "@SHA_LINUX_INTEL@"
    end
  end

  def install
    bin.install "logmap"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/logmap.bash" => "logmap"
    zsh_completion.install "completions/_logmap"
    fish_completion.install "completions/logmap.fish"
  end

  test do
    assert_match "logmap #{version}", shell_output("#{bin}/logmap --version")
  end
end
