using System.Text.Json.Nodes;
using Cake.Core.IO;

namespace Cake.LoRTA.Tests;

/// <summary>Starts processes as another runner does, and listens to what they write.</summary>
internal sealed class ListeningRunner(Func<IProcessRunner> inner) : IProcessRunner
{
    private readonly List<string> _lines = [];

    /// <summary>The JSON that the process wrote.</summary>
    public JsonNode Json => JsonNode.Parse(string.Join('\n', _lines))!;

    public IProcess Start(FilePath filePath, ProcessSettings settings)
    {
        var handler = settings.RedirectedStandardOutputHandler!;
        settings.RedirectedStandardOutputHandler = line =>
        {
            if (line is not null) lock (_lines) _lines.Add(line);
            return handler(line!);
        };
        return inner().Start(filePath, settings);
    }
}
