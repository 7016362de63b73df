using System.Text.Json;

namespace Cake.LoRTA;

/// <summary>The result of <c>lorta inspect</c>.</summary>
public sealed record LortaInspectResult
{
    /// <summary>File name.</summary>
    public required string Model { get; init; }

    /// <summary>The tool that wrote the file.</summary>
    public required string Producer { get; init; }

    /// <summary>Version of the file format.</summary>
    public required long IrVersion { get; init; }

    /// <summary>Version of each operator set.</summary>
    public required IReadOnlyDictionary<string, long> Opsets { get; init; }

    /// <summary>Model width.</summary>
    public required int Hidden { get; init; }

    /// <summary>Query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Key/value heads.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Width of one head.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>Numbers that the graph computes with.</summary>
    public required long Parameters { get; init; }

    /// <summary>Tasks that the outputs fit.</summary>
    public required IReadOnlyList<string> Tasks { get; init; }

    /// <summary>Longest row in tokens; null where neither graph nor configuration says it.</summary>
    public long? Positions { get; init; }

    /// <summary>Inputs in order.</summary>
    public required IReadOnlyList<LortaPort> Inputs { get; init; }

    /// <summary>Outputs in order.</summary>
    public required IReadOnlyList<LortaPort> Outputs { get; init; }

    /// <summary>Self-attention and MLPs in the order of the data.</summary>
    public required IReadOnlyList<LortaLayer> Layers { get; init; }

    /// <summary>What was not understood or was left alone.</summary>
    public required IReadOnlyList<LortaFinding> Findings { get; init; }

    /// <summary>Bytes of the model's files.</summary>
    public required long Bytes { get; init; }

    /// <summary>The tokenizer next to the model; null where there is none.</summary>
    public LortaTokenizer? Tokenizer { get; init; }

    /// <summary>Stored tensors by PyTorch-style names, with <see cref="LortaInspectSettings.Weights"/>.</summary>
    public IReadOnlyDictionary<string, LortaParameterName>? ParameterNames { get; init; }

    /// <summary>The forms that matched, by site, with <see cref="LortaInspectSettings.Explain"/>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Forms { get; init; }

    /// <summary>Why pieces were not understood, with <see cref="LortaInspectSettings.Explain"/>.</summary>
    public IReadOnlyList<LortaExplanation>? Explanations { get; init; }
}

/// <summary>An input or output of a model.</summary>
public sealed record LortaPort
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Element type.</summary>
    public required string Type { get; init; }

    /// <summary>Sizes: numbers, or names of those that vary; null where the rank is not known.</summary>
    public IReadOnlyList<JsonElement>? Shape { get; init; }
}

/// <summary>What was not understood or was left alone.</summary>
public sealed record LortaFinding
{
    /// <summary>The node.</summary>
    public required string Node { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}

/// <summary>The tokenizer next to a model.</summary>
public sealed record LortaTokenizer
{
    /// <summary>How it makes tokens.</summary>
    public string? Kind { get; init; }

    /// <summary>Number of its tokens.</summary>
    public int? Vocabulary { get; init; }

    /// <summary>The file that says most.</summary>
    public string? File { get; init; }

    /// <summary>Why it cannot be used; null where it can.</summary>
    public string? Problem { get; init; }
}

/// <summary>The stored tensor behind a parameter.</summary>
public sealed record LortaParameterName
{
    /// <summary>The stored tensor.</summary>
    public required string Initializer { get; init; }

    /// <summary>Whether it is stored the other way round.</summary>
    public required bool Transposed { get; init; }

    /// <summary>Axis, start and end where the parameter is a part of it; null where it is all of it.</summary>
    public IReadOnlyList<long>? Slice { get; init; }

    /// <summary>Further tensors with the same values.</summary>
    public IReadOnlyList<string>? Also { get; init; }
}

/// <summary>Why a piece of a model was not understood.</summary>
public sealed record LortaExplanation
{
    /// <summary>What was being looked for.</summary>
    public required string LookedFor { get; init; }

    /// <summary>The node or input where reading stopped.</summary>
    public required string Node { get; init; }

    /// <summary>Its operator; <c>input</c> for an input of the graph.</summary>
    public required string Op { get; init; }

    /// <summary>The steps taken before, in order.</summary>
    public required IReadOnlyList<string> Passed { get; init; }

    /// <summary>The form that came closest; null where none fits in part.</summary>
    public LortaNearMiss? Closest { get; init; }

    /// <summary>The forms that were tried, each with the reason why it does not fit.</summary>
    public required IReadOnlyList<string> Declined { get; init; }

    /// <summary>What is missing, and in which file of the project.</summary>
    public required string Remedy { get; init; }
}

/// <summary>A form that matched in part.</summary>
public sealed record LortaNearMiss
{
    /// <summary>Its name.</summary>
    public required string Form { get; init; }

    /// <summary>How many of its operators fitted.</summary>
    public required int Operators { get; init; }

    /// <summary>What it needs next.</summary>
    public required IReadOnlyList<string> Expected { get; init; }

    /// <summary>What the graph has there.</summary>
    public required string Found { get; init; }
}
