using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cake.LoRTA;

/// <summary>How results are read: what a newer tool adds is passed over, what is missing fails.</summary>
internal static class LortaJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
    };
}
