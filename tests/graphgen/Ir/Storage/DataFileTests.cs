using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Ir.Storage;

/// <summary>Data files have a name of their own for each content, and go when no model names them any more.</summary>
internal sealed class DataFileTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new();

    [TearDown]
    public void DeleteFolder() => _folder.Dispose();

    private IEnumerable<string> Data => _folder.Entries.Where(name => name.EndsWith(".data", StringComparison.Ordinal));

    [Test]
    public void Equal_content_has_an_equal_name_and_other_content_another()
    {
        var first = Save("m.onnx", 1);

        Assert.That(Save("m.onnx", 1), Is.EqualTo(first));
        Assert.That(Save("m.onnx", 2), Is.Not.EqualTo(first));
        Assert.That(first, Does.Match("^m\\.onnx\\.[0-9a-f]{16}\\.data$"));
    }

    [Test]
    public void Replaced_data_go_and_so_do_those_of_a_model_that_holds_its_own_now()
    {
        Save("m.onnx", 1);
        var second = Save("m.onnx", 2);
        Assert.That(Data, Is.EqualTo(new[] { second }));

        Save("m.onnx", 3, isExternal: false);

        Assert.That(_folder.Entries, Is.EqualTo(new[] { "m.onnx" }));
    }

    [Test]
    public void Data_that_a_renamed_model_or_a_copy_names_stay()
    {
        var first = Save("m.onnx", 1);
        File.Move(_folder["m.onnx"], _folder["kept.backup"]);

        var second = Save("m.onnx", 2);

        Assert.That(Data, Is.EquivalentTo(new[] { first, second }));
        File.Move(_folder["kept.backup"], _folder["kept.onnx"]);
        Assert.That(Weight("kept.onnx"), Is.EqualTo(1));
    }

    [Test, Platform(Exclude = "Win")]
    public void Data_stay_beside_a_file_that_cannot_be_read()
    {
        if (Environment.IsPrivilegedProcess) Assert.Ignore("the administrator reads every file");
        var first = Save("m.onnx", 1);
        _folder.Write("secret.onnx", "mine");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_folder["secret.onnx"], UnixFileMode.None);

        var second = Save("m.onnx", 2);

        Assert.That(Data, Is.EquivalentTo(new[] { first, second }));
    }

    [Test]
    public void Data_of_others_stay()
    {
        foreach (var name in new[] { "m.onnx.data", "m.onnx.0123456789abcdef.data.old", "other.onnx.0123456789abcdef.data", "m.onnx.0123456789ABCDEF.data" }) _folder.Write(name, "mine");
        var before = Data.ToList();

        var saved = Save("m.onnx", 1);

        Assert.That(Data, Is.EquivalentTo(before.Append(saved)));
    }

    [Test]
    public void Data_stay_while_another_process_is_writing_in_the_folder()
    {
        var orphan = Path.GetFileName(_folder.Write("m.onnx.0123456789abcdef.data", "of a model that is about to be placed"));
        using (PendingFile.Beside(_folder["m.onnx"])) Save("m.onnx", 1);

        Assert.That(Data, Has.One.EqualTo(orphan));
        Save("m.onnx", 1);
        Assert.That(Data, Has.None.EqualTo(orphan));
    }

    private string Save(string name, float weight, bool isExternal = true)
    {
        var model = SmallModel.Saved(_folder["small.onnx"], isExternal);
        File.Delete(_folder["small.onnx"]);
        foreach (var file in model.Files.Skip(1)) File.Delete(file);
        var initializer = model.Graph.Find("w")!;
        (initializer.Constant, initializer.IsExternal) = (OnnxTensor.Of<float>([16, 16], [.. Enumerable.Repeat(weight, 256)]), isExternal);
        return Path.GetFileName(model.SaveFiles(_folder[name])[^1]);
    }

    private float Weight(string name) => OnnxModel.Load(_folder[name]).Graph.Find("w")!.Constant!.ToFloats()[0];
}
