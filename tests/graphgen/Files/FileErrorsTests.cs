using LoRTA.Onnx.GraphGen.Files;
using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

/// <summary>What is said of files and folders that are not as they should be.</summary>
internal sealed class FileErrorsTests
{
    private TestFolder _folder = null!;

    [SetUp]
    public void Make() => _folder = new();

    [TearDown]
    public void Delete() => _folder.Dispose();

    [Test]
    public void A_folder_in_the_place_of_a_file_is_named_as_such()
    {
        var failure = Assert.Throws<LortaException>(() => PlainText.Read(_folder.Path))!;

        Assert.That((failure.Code, failure.Message), Is.EqualTo(("LRT127", $"{_folder.Path}: is a folder, where a file is needed.")));
    }

    [Test]
    public void A_file_in_the_place_of_a_folder_is_named_as_such()
    {
        var file = _folder.Write("vocab.json", "{}");

        Assert.That(FileErrors.NotFound(file).Message, Is.EqualTo($"{file}: is a file, where a folder is needed."));
    }

    [Test]
    public void The_reason_does_not_repeat_the_path()
    {
        var failure = FileErrors.NotWritable("model.onnx", new IOException("Read-only file system : '/there/lorta-0f74.tmp'"));

        Assert.That(failure.Message, Is.EqualTo("model.onnx: cannot be written (Read-only file system)."));
    }

    [Test]
    public void An_adapter_of_PEFT_is_recognised()
    {
        _folder.Write("adapter_config.json", """{ "peft_type": "LORA", "r": 8, "lora_alpha": 16 }""");

        Assert.That(() => Adapter.Load(_folder.Path), Throws.TypeOf<LortaException>().With.Property("Code").EqualTo("LRT128"));
    }
}
