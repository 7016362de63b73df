using LoRTA.Onnx.Training.Recipes.Files;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta schema recipe|adapter</c>.</summary>
internal static class SchemaVerb
{
    public static Verb Create()
    {
        var what = Arg.OneOf("WHAT", "recipe: a recipe file; adapter: its adapter section.", "recipe", "adapter");
        return Verb.Define("schema", "Write the JSON schema of recipes or adapter options, with descriptions and defaults.", [what], call =>
            call.Get(what) == "recipe" ? OptionSchema.Recipe() : OptionSchema.Adapter());
    }
}
