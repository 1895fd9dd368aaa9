using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace ClipOod.Notebook;

/// <summary>A read-only dictionary sorted by name, whose error for an unknown name lists the names there are.</summary>
/// <typeparam name="T">What is named.</typeparam>
[SuppressMessage("Naming", "CA1710", Justification = "A catalogue is a dictionary by name.")]
public sealed class Catalog<T> : IReadOnlyDictionary<string, T>
{
    private readonly SortedDictionary<string, T> _items = new(StringComparer.Ordinal);
    private readonly string _what;

    internal Catalog(string what, IEnumerable<(string Name, T Item)> items)
    {
        _what = what;
        foreach ((string name, T item) in items)
        {
            _items.Add(name, item);
        }
    }

    /// <summary>The item of a name.</summary>
    /// <param name="key">One of <see cref="Keys"/>.</param>
    /// <exception cref="KeyNotFoundException">There is none of this name; the message lists those there are.</exception>
    public T this[string key] => _items.TryGetValue(key, out T? item)
        ? item
        : throw new KeyNotFoundException($"There is no {_what} '{key}' in this world, there {(Count == 0 ? "is none" : $"are: {string.Join(", ", Keys)}")}.");

    /// <summary>The names, sorted.</summary>
    public IEnumerable<string> Keys => _items.Keys;

    /// <summary>The items, sorted by name.</summary>
    public IEnumerable<T> Values => _items.Values;

    /// <summary>Number of items.</summary>
    public int Count => _items.Count;

    /// <inheritdoc/>
    public bool ContainsKey(string key) => _items.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out T value) => _items.TryGetValue(key, out value);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, T>> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
