using System.Text;

namespace LoRTA.Onnx.GraphGen.Files;

/// <summary>Writes folders so that they appear whole or not at all: filled beside their final place, then put there in one step.</summary>
/// <remarks>
/// Linux swaps the new folder with the old one, so there is a whole folder at every moment. Elsewhere the old one is put aside first; a
/// process that ends between the two renames leaves it aside, and the next one that writes beside it brings it back.
/// </remarks>
internal static class AtomicFolder
{
    /// <summary>Lets <paramref name="fill"/> write into a temporary folder that then takes the place of <paramref name="path"/>.</summary>
    /// <param name="path">The folder; where it is a link to one, that folder.</param>
    /// <param name="isOurs">Whether such a folder may hold a file of that name, relative with <c>/</c>; an existing folder that holds
    /// another one is not replaced.</param>
    /// <param name="fill">Writes into the folder that it is given.</param>
    /// <param name="placeTogether">Calls what it is given, which puts the folder in its place, as a step of putting more there; null =
    /// the folder is all.</param>
    /// <exception cref="LortaException">LRT107: the folder holds something else; LRT123: something else is there; LRT104: the parent
    /// folder cannot be written or the disk is full.</exception>
    /// <exception cref="OperationCanceledException">The work was told to stop, so nothing takes its place.</exception>
    public static void Write(string path, Func<string, bool> isOurs, Action<string> fill, Action<Action>? placeTogether = null)
    {
        var target = RealPath.Target(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        CheckReplaceable(path, target, isOurs);
        try
        {
            Replace(target, fill, placeTogether ?? (place => place()));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.NotWritable(path, e);
        }
    }

    /// <summary>Removes a folder, which is whole until it is gone.</summary>
    /// <exception cref="IOException">It cannot be removed; the next command that writes beside it tries again.</exception>
    public static void Delete(string path)
    {
        // an empty lock file names no folder to be brought back
        using var held = Leftovers.Create(Path.GetDirectoryName(Path.GetFullPath(path))!, Leftovers.Lock);
        var name = Path.ChangeExtension(held.Name, null);
        FileSteps.MoveFolder(path, name + Leftovers.Retired);
        FileSteps.DeleteFolder(name + Leftovers.Retired);
        FileSteps.Delete(held.Name);
    }

    /// <summary>Refuses to replace what is no folder, and a folder that holds what such a folder does not.</summary>
    /// <exception cref="LortaException">LRT107, LRT123.</exception>
    public static void CheckReplaceable(string path, string target, Func<string, bool> isOurs)
    {
        var kind = PathKinds.Of(target);
        if (kind == PathKind.Nothing) return;
        if (kind != PathKind.Folder) throw FileErrors.NotReplaceable(path, kind);
        foreach (var name in FolderFiles.In(target))
        {
            var isFile = PathKinds.Of(Path.Combine(target, name)) == PathKind.File;
            if (!isFile || !(isOurs(name) || Leftovers.Is(Path.GetFileName(name)))) throw FileErrors.HoldsOthers(path, name);
        }
    }

    private static void Replace(string target, Action<string> fill, Action<Action> placeTogether)
    {
        var parent = Path.GetDirectoryName(target)!;
        if (!Directory.Exists(parent)) FileSteps.CreateFolder(parent);
        Leftovers.Remove(parent);
        using var held = Leftovers.Create(parent, Leftovers.Lock);
        var name = Path.ChangeExtension(held.Name, null);
        try
        {
            held.Write(Encoding.UTF8.GetBytes(Path.GetFileName(target)));
            held.Flush();
            FileSteps.CreateFolder(name + Leftovers.Temporary);
            fill(name + Leftovers.Temporary);
            placeTogether(() => Place(name, target));
        }
        finally
        {
            foreach (var folder in new[] { name + Leftovers.Temporary, name + Leftovers.Retired })
                if (Directory.Exists(folder)) FileSteps.DeleteFolder(folder);
            FileSteps.Delete(held.Name);
        }
    }

    private static void Place(string name, string target)
    {
        StopRequest.ThrowIfAny();
        var (temporary, retired) = (name + Leftovers.Temporary, name + Leftovers.Retired);
        if (!Directory.Exists(target))
        {
            FileSteps.MoveFolder(temporary, target);
            return;
        }
        if (FileSteps.TryExchange(temporary, target)) return;
        FileSteps.MoveFolder(target, retired);
        try
        {
            FileSteps.MoveFolder(temporary, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            FileSteps.MoveFolder(retired, target);
            throw;
        }
    }
}
