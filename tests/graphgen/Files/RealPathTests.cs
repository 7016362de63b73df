using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

internal sealed class RealPathTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    [Test]
    public void A_step_back_behind_a_link_starts_at_the_place_that_the_link_leads_to()
    {
        Directory.CreateDirectory(_folder["store", "inner"]);
        Directory.CreateDirectory(_folder["links"]);
        Directory.CreateSymbolicLink(_folder["links", "inner"], "../store/inner");
        File.CreateSymbolicLink(_folder["links", "file"], "inner/../target");

        Assert.That(RealPath.Target(_folder["links", "file"]), Is.EqualTo(RealPath.Of(_folder["store", "target"])));
    }

    [Test]
    public void The_last_part_of_a_place_is_not_followed()
    {
        File.CreateSymbolicLink(_folder["link"], _folder.Write("file", "x"));

        Assert.That(Path.GetFileName(RealPath.Of(_folder["link"])), Is.EqualTo("link"));
        Assert.That(Path.GetFileName(RealPath.Target(_folder["link"])), Is.EqualTo("file"));
    }

    [Test]
    public void A_link_to_nothing_and_a_circle_are_told_from_a_missing_file()
    {
        File.CreateSymbolicLink(_folder["dead"], "gone");
        Directory.CreateSymbolicLink(_folder["round"], "round");
        Directory.CreateSymbolicLink(_folder["good"], _folder.Path);

        Assert.That(Refusal("dead"), Does.EndWith($"cannot be followed, because {_folder["dead"]} is a link to {RealPath.Of(_folder["gone"])}, which does not exist."));
        Assert.That(Refusal("dead/below"), Does.Contain("cannot be followed"));
        Assert.That(Refusal("round"), Does.Contain("leads back to itself"));
        Assert.That(Refusal("round/below"), Does.Contain("leads back to itself"));
        Assert.That(Refusal("good/missing"), Does.EndWith("no such file or folder."));
    }

    [Test]
    public void A_file_that_need_not_be_there_is_an_error_only_behind_a_dead_link()
    {
        File.CreateSymbolicLink(_folder["dead"], "gone");

        Assert.That(RealPath.HasFile(_folder["none"]), Is.False);
        Assert.That(() => RealPath.HasFile(_folder["dead"]), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT122"));
    }

    private string Refusal(string name) => Assert.Throws<LortaException>(() => MappedFile.Open(_folder[name]))!.Message;
}
