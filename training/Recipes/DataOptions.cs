using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using LoRTA.Onnx.GraphGen;

namespace LoRTA.Onnx.Training.Recipes;

/// <summary>The data of a recipe and how it becomes batches.</summary>
internal sealed record DataOptions
{
    [Choice("text", "tsv", "csv", "jsonl", "json", "fasta", NotYet = ["parquet"]),
        Description("Format of the files. Default: by the extension of each file.")]
    public string? Format { get; init; }

    [OutsideIdentity, Description("File of training examples.")]
    public required string Train { get; init; }

    [OutsideIdentity, Description("File of validation examples.")]
    public string? Validation { get; init; }

    [Range(0, 1, MinimumIsExclusive = true, MaximumIsExclusive = true),
        Description("Instead of `validation`: the share of `train`, from its end, that is kept for validation.")]
    public double? ValidationFraction { get; init; }

    [Description("Names of the columns.")]
    public ColumnOptions Columns { get; init; } = new();

    [Description("The classes where labels are text, in the order of their numbers; integer labels are class indices.")]
    public IReadOnlyList<string>? Labels { get; init; }

    [Description("Text with {column} placeholders, or prompt and completion separately: only completions are learned.")]
    public Template? Template { get; init; }

    [Range(1, int.MaxValue), Description("Longest row in tokens; longer ones are cut.")]
    public int MaxLength { get; init; } = 128;

    [Description("text: what separates entries.")]
    public string Separator { get; init; } = "\n\n";

    [Description("Put the token that begins a text before each entry, where the tokenizer has one.")]
    public bool Bos { get; init; } = true;

    [Description("Put the token that ends a text after each entry, where the tokenizer has one.")]
    public bool Eos { get; init; } = true;

    [Description("causal-lm: one stream per split, cut into rows of maxLength, the tail dropped.")]
    public bool Packing { get; init; }

    [Description("Batches of rows of similar length.")]
    public bool Bucketing { get; init; } = true;
}

/// <summary>Names of the columns that a task reads.</summary>
internal sealed record ColumnOptions
{
    [Description("Column of the text.")]
    public string Text { get; init; } = "text";

    [Description("Column of the second text of a pair.")]
    public string? Pair { get; init; }

    [Description("Column of the label.")]
    public string Label { get; init; } = "label";

    [Description("token-classification: column of a 0 or 1 for each label; labels at 0 do not count.")]
    public string? Mask { get; init; }
}
