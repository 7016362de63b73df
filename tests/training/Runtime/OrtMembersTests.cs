using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using LoRTA.Onnx.Runtime;
using LoRTA.Onnx.Tests.Shared;
using Microsoft.ML.OnnxRuntime;

namespace LoRTA.Onnx.Training.Tests.Runtime;

/// <summary>The libraries use only what Microsoft.ML.OnnxRuntime 1.19.2 has, the release of ONNX Runtime Training, which CI cannot build with.</summary>
internal sealed class OrtMembersTests
{
    // A type or member a line, as the sources of 1.19.2 have it; a new line is to be looked up there first.
    private static readonly string[] Known =
        File.ReadAllLines(Path.Combine(Fixtures.Repository, "tests", "training", "Runtime", "members-1.19.2.txt"));

    [TestCase(typeof(OrtEngine))]
    [TestCase(typeof(AdapterTrainer))]
    public void Members_are_those_of_the_release(Type library)
    {
        var used = Used(library.Assembly).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();

        Assert.That(used, Is.Not.Empty);
        Assert.That(used.Except(Known), Is.Empty, string.Join('\n', used.Except(Known)));
    }

    private static List<string> Used(Assembly assembly)
    {
        using var file = File.OpenRead(assembly.Location);
        using var portable = new PEReader(file);
        var reader = portable.GetMetadataReader();
        var types = reader.TypeReferences.Where(type => IsOfOrt(reader, type)).Select(type => MetadataTokens.GetToken(type));
        var members = reader.MemberReferences.Where(member => IsOfOrt(reader, reader.GetMemberReference(member).Parent)).Select(member => MetadataTokens.GetToken(member));
        return
        [
            .. types.Select(token => assembly.ManifestModule.ResolveType(token).FullName!),
            .. members.Select(token => assembly.ManifestModule.ResolveMember(token)!).Select(member => $"{member.DeclaringType!.FullName}: {member}"),
        ];
    }

    // A type of the library, or one that lies in such a type.
    private static bool IsOfOrt(MetadataReader reader, EntityHandle type)
    {
        if (type.Kind != HandleKind.TypeReference) return false;
        var scope = reader.GetTypeReference((TypeReferenceHandle)type).ResolutionScope;
        return scope.Kind == HandleKind.TypeReference
            ? IsOfOrt(reader, scope)
            : scope.Kind == HandleKind.AssemblyReference
                && reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)scope).Name) == typeof(OrtValue).Assembly.GetName().Name;
    }
}
