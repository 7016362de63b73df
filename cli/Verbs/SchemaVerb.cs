using System.Text.Json.Nodes;
using LoRTA.Onnx.Cli.Display;
using LoRTA.Onnx.Training;

namespace LoRTA.Onnx.Cli.Verbs;

/// <summary><c>lorta schema recipe|adapter</c>.</summary>
internal static class SchemaVerb
{
    private const string Recipe = "recipe";

    public static Verb Create()
    {
        var what = Arg.OneOf("WHAT", "recipe: a recipe file; adapter: its adapter section.", Recipe, "adapter");
        var asTable = Opt.Of<bool>("--table", "Write tables in Markdown instead.");
        return Verb.Define(
            "schema",
            "Write the JSON schema of recipes or adapter options, with descriptions and defaults.",
            [what, asTable],
            call =>
            {
                var schema = call.Get(what) == Recipe ? RecipeSchema.Recipe(call.Catalog) : RecipeSchema.Adapter(call.Catalog);
                if (!call.Get(asTable)) return schema;
                call.Text.Write(OptionTable.Of(schema));
                return new SchemaTable(schema);
            });
    }
}

/// <summary>A schema that was written as tables already; as JSON it is itself.</summary>
internal sealed record SchemaTable(JsonObject Schema) : IDocument
{
    public JsonNode ToJson() => Schema;

    public object? ToTable() => null;
}
