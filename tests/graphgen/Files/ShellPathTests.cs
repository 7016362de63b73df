using LoRTA.Onnx.GraphGen.Files;

namespace LoRTA.Onnx.GraphGen.Tests.Files;

internal sealed class ShellPathTests
{
    [TestCase("runs/a-1/recipe.yaml", "runs/a-1/recipe.yaml")]
    [TestCase("a run/recipe.yaml", "\"a run/recipe.yaml\"")]
    [TestCase("it's.yaml", "\"it's.yaml\"")]
    public void Path_is_quoted_where_a_shell_would_split_it(string path, string expected) =>
        Assert.That(ShellPath.Quoted(path), Is.EqualTo(expected));

    [TestCase("cost in $HOME", "'cost in $HOME'")]
    [TestCase("it's `x`", @"'it'\''s `x`'")]
    [Platform(Exclude = "Win")]
    public void Path_with_letters_that_double_quotes_do_not_protect_is_in_single_quotes(string path, string expected) =>
        Assert.That(ShellPath.Quoted(path), Is.EqualTo(expected));

    [Test]
    public void Path_below_the_current_folder_is_relative() =>
        Assert.That(ShellPath.Of(Path.GetFullPath(Path.Combine("run", "recipe.yaml"))), Is.EqualTo(Path.Combine("run", "recipe.yaml")));

    [Test]
    public void Path_elsewhere_stays_whole()
    {
        var parent = Path.GetFullPath(Path.Combine("..", "recipe.yaml"));

        Assert.That(ShellPath.Of(parent), Is.EqualTo(parent));
    }
}
