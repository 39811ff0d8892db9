package org.openapitools.jackson.nullable;

/** A field that is left out, or null, or has a value. */
public final class JsonNullable<T> {
    private static final JsonNullable<?> UNDEFINED = new JsonNullable<>(false, null);

    private final boolean present;
    private final T value;

    private JsonNullable(boolean present, T value) {
        this.present = present;
        this.value = value;
    }

    @SuppressWarnings("unchecked")
    public static <T> JsonNullable<T> undefined() {
        return (JsonNullable<T>) UNDEFINED;
    }

    public static <T> JsonNullable<T> of(T value) {
        return new JsonNullable<>(true, value);
    }

    public boolean isPresent() {
        return present;
    }

    public T get() {
        return value;
    }

    public T orElse(T other) {
        return present ? value : other;
    }
}
