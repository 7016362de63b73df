using LoRTA.Onnx.Tests.Shared;

namespace LoRTA.Onnx.GraphGen.Tests;

/// <summary>Lines of product code fit on a screen beside another file.</summary>
internal sealed class LineWidthTests
{
    private const int Columns = 140;   // characters, as .editorconfig says; editors and formatters do not enforce it

    [TestCase("graphgen")]
    [TestCase("runtime")]
    [TestCase("training")]
    [TestCase("export")]
    [TestCase("extensions.ai")]
    [TestCase("testing")]
    [TestCase("cli")]
    [TestCase("cake")]
    [TestCase("bench")]
    public void No_line_of_product_code_is_wider_than_the_limit(string folder)
    {
        var files = Directory.GetFiles(Path.Combine(Fixtures.Repository, folder), "*.cs", SearchOption.AllDirectories);

        var wide = from file in files
                   from line in File.ReadAllLines(file).Index()
                   where line.Item.Length > Columns
                   select $"{Path.GetRelativePath(Fixtures.Repository, file)}:{line.Index + 1}: {line.Item.Length}";

        Assert.That(files, Is.Not.Empty);
        Assert.That(wide, Is.Empty);
    }
}
